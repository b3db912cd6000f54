/** What a tool is: a verb of `assay` that needs more than the CLI may import, run by tools.ts in a process of its own. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { Problem } from '../core/problem.ts'
import type { Progress } from '../store/jobs.ts'
import type { Device } from '../verifier/embedding/onnxRuntime.ts'

/** What the environment says, read by tools.ts alone. */
export interface ToolSettings {
  device: Device
  /** Where models are kept. */
  modelCache: string
  /** A directory in the hub's layout that is looked into first. */
  modelDir: string | undefined
  modelHub: string | undefined
  /** The model that reports rest on, by name or CID; null for none. */
  model: string | null
  /** A gateway that blocks are asked from. */
  gateway: string | undefined
  /** The file of benchmark sets that the node reads. */
  benchmarks: string
  /** The file of human reference texts that the node reads. */
  references: string
}

export interface ToolContext {
  settings: ToolSettings
  /** Whether a program reads the answer. */
  json: boolean
  /** The answer: `value` for a program, `text` for a person. */
  result: (value: unknown, text: string) => void
  /** Something on the way, on standard error. */
  note: (line: string) => void
  signal: AbortSignal
}

/** 0: done. 1: failed. 2: cannot tell, or wrong usage. */
export type ToolExit = 0 | 1 | 2

export interface Tool {
  /** One word or two. */
  name: string
  run(context: ToolContext, words: string[]): Promise<ToolExit>
}

/** Parses a tool's words. Throws `invalid-request` for those that do not fit. */
export function parseWords<const O extends NonNullable<ParseArgsConfig['options']>>(words: string[], options: O) {
  try {
    return parseArgs({ args: words, options, allowPositionals: true })
  } catch (cause) {
    throw new Problem('invalid-request', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

const NOTE_EVERY_MS = 2000

/** Notes from time to time how far a stage of long work is; for a person only. */
export function progressNotes({ note, json }: Pick<ToolContext, 'note' | 'json'>): (progress: Progress) => void {
  let notedAt = performance.now()
  return ({ stage, done, total }) => {
    if (json || total === null || total === 0 || performance.now() - notedAt < NOTE_EVERY_MS) return
    notedAt = performance.now()
    note(`${stage}: ${Math.floor((100 * done) / total)} %`)
  }
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
