/** What a command of `assay` is: a record of its words, its options and what it does. Parsing, help and completion follow from it. */
import type { Writable } from 'node:stream'
import type { Registry } from './client/registry.ts'
import type { Home } from './home.ts'
import type { Output } from './output.ts'

interface OptionBase {
  /** What stands for the value in the help, such as `SPDX`. */
  value?: string
  help: string
}

/** `--name` (flag), `--name VALUE` (text, integer) or `--name VALUE --name VALUE` (list). */
export type Option =
  | (OptionBase & { type: 'flag' })
  | (OptionBase & { type: 'text'; required?: true; default?: string; choices?: readonly string[] })
  | (OptionBase & { type: 'integer'; required?: true; default?: number; minimum?: number })
  | (OptionBase & { type: 'list' })

export type Options = Readonly<Record<string, Option>>

type Present<O extends Option, T> = O extends { required: true } | { default: T } ? T : T | undefined

export type OptionValue<O extends Option> = O extends { type: 'flag' }
  ? boolean
  : O extends { type: 'list' }
    ? string[]
    : O extends { type: 'integer' }
      ? Present<O, number>
      : O extends { choices: readonly (infer C extends string)[] }
        ? Present<O, C>
        : Present<O, string>

export interface Arguments<P extends readonly string[], O extends Options> {
  /** One for each name in `positionals`; where the last name ends in `…`, all that are left over follow it. */
  positionals: { readonly [I in keyof P]: string }
  options: { readonly [K in keyof O]: OptionValue<O[K]> }
}

/** 0: done, or every law holds. 1: failed. 2: cannot tell, or wrong usage. 130: interrupted. */
export type ExitCode = 0 | 1 | 2 | 130

/** All that a command may touch. */
export interface CommandContext {
  output: Output
  /** For bytes that are the command's product, such as a stream of samples. */
  stdout: Writable
  home: Home
  registry: Registry
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
  clock: () => Date
  /** Waits; rejects when the signal is aborted. */
  delay: (ms: number, signal: AbortSignal) => Promise<void>
  /** A uniformly random integer in [0, below). */
  random: (below: number) => number
  /** Runs another line of `assay` in this process, as another user at another place would. */
  runLine: (line: OtherLine) => Promise<ExitCode>
}

export interface OtherLine {
  words: readonly string[]
  homeDirectory: string
  server: string
  /** Gets what the line prints to its standard output. */
  stdout: Writable
}

export interface Command<P extends readonly string[] = readonly string[], O extends Options = Options> {
  /** One word or two: `publish`, `run start`. */
  name: string
  /** One line for the list of commands. */
  summary: string
  /** More for `assay help NAME`. */
  description?: string
  positionals: P
  options: O
  run(context: CommandContext, args: Arguments<P, O>): Promise<ExitCode>
}

/** Fixes the types of a command's arguments from its own table. */
export function defineCommand<const P extends readonly string[], const O extends Options>(command: Command<P, O>): Command {
  // The parser builds the arguments from the same table, so they have the types that `run` asks for.
  return command as unknown as Command
}
