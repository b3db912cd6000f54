/** What a person or a program reads: text or one JSON document on standard output; notes and progress on standard error. */
import type { Writable } from 'node:stream'

export interface Progress {
  /** Shows how far it is: bytes, rows or whatever `label` counts. */
  update(done: number, total?: number): void
  end(): void
}

export interface Output {
  readonly json: boolean
  /** A line for a person as work goes on. Silent under `--json`. */
  say(line: string): void
  /** The command's answer: `value` under `--json`, otherwise `text`. Called at most once. */
  result(value: unknown, text: string): void
  /** Something that a person should know and that is no part of the answer. */
  note(line: string): void
  progress(label: string, unit?: 'bytes' | 'rows' | 'files'): Progress
}

const SILENT: Progress = { update: () => undefined, end: () => undefined }

export interface OutputOptions {
  stdout: Writable
  stderr: Writable
  json: boolean
  /** Progress is drawn over itself, so only where standard error is a terminal. */
  terminal: boolean
  now: () => number
}

export function createOutput({ stdout, stderr, json, terminal, now }: OutputOptions): Output {
  return {
    json,
    say: (line) => {
      if (!json) stdout.write(`${line}\n`)
    },
    result: (value, text) => {
      if (json) stdout.write(`${JSON.stringify(value, null, 2)}\n`)
      else if (text !== '') stdout.write(`${text}\n`)
    },
    note: (line) => {
      stderr.write(`${line}\n`)
    },
    progress: (label, unit = 'files') => (terminal && !json ? drawProgress(stderr, label, unit, now) : SILENT),
  }
}

const REDRAW_MS = 100
/** Sooner a rate says little. */
const RATE_AFTER_MS = 1000

function drawProgress(stderr: Writable, label: string, unit: 'bytes' | 'rows' | 'files', now: () => number): Progress {
  let drawnAt = Number.NEGATIVE_INFINITY
  let first: { at: number; done: number } | null = null
  return {
    update: (done, total) => {
      // Work that begins anew, as the next stage of a version does, has a rate of its own.
      const at = now()
      if (first === null || done < first.done) first = { at, done }
      if (at - drawnAt < REDRAW_MS && done !== total) return
      drawnAt = at
      const count = (value: number) => (unit === 'bytes' ? formatBytes(value) : `${value} ${unit}`)
      const share = total === undefined || total === 0 ? '' : ` of ${count(total)} (${Math.floor((100 * done) / total)} %)`
      const elapsedMs = at - first.at
      const perSecond = elapsedMs < RATE_AFTER_MS ? 0 : ((done - first.done) / elapsedMs) * 1000
      const rate = perSecond <= 0 ? '' : `, ${count(Math.round(perSecond))}/s`
      const left = perSecond <= 0 || total === undefined ? '' : `, ${formatSeconds((total - done) / perSecond)} left`
      stderr.write(`\r\u001b[2K${label}: ${count(done)}${share}${rate}${left}`)
    },
    end: () => {
      if (drawnAt !== Number.NEGATIVE_INFINITY) stderr.write('\r\u001b[2K')
    },
  }
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

/** Bytes in decimal units, as disks and networks are sold: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`
}

/** Millionths as a percentage with at most two decimals: 12 500 → `1.25 %`. */
export function formatMillionths(millionths: number): string {
  return `${Number((millionths / 10_000).toFixed(2))} %`
}

/** Text from elsewhere, safe to print: control characters, which could drive the terminal, become `�`. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are exactly what must not reach the terminal
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
}
