/** From the words after `assay` to a command and its arguments, by the table of commands (node:util parseArgs does the splitting). */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Arguments, Command, Option, Options } from './command.ts'

/** The words do not fit the table. The message says which word and what would fit. */
export class UsageError extends Error {
  /** The command whose help would answer, where it is known. */
  readonly command: Command | undefined
  constructor(message: string, command?: Command) {
    super(message)
    this.name = 'UsageError'
    this.command = command
  }
}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  server: { type: 'text', value: 'URL', help: 'the registry (or ASSAY_SERVER; default http://127.0.0.1:8080)' },
  json: { type: 'flag', help: 'print one JSON document instead of text' },
  quiet: { type: 'flag', help: 'no progress' },
  help: { type: 'flag', help: 'explain the command' },
} as const satisfies Options

export interface CommonValues {
  server: string | undefined
  json: boolean
  quiet: boolean
  help: boolean
}

export interface ParsedLine {
  command: Command
  args: Arguments<readonly string[], Options>
  common: CommonValues
}

/** Finds the command that the first one or two words name. */
export function findCommand(commands: readonly Command[], words: readonly string[]): Command {
  const two = commands.find((command) => command.name === words.slice(0, 2).join(' '))
  const found = two ?? commands.find((command) => command.name === words[0])
  if (found !== undefined) return found
  const group = commands.filter((command) => command.name.startsWith(`${words[0] ?? ''} `))
  if (group.length > 0) throw new UsageError(`"${words[0]}" wants one of: ${group.map(({ name }) => name).join(', ')}`)
  throw new UsageError(`there is no command "${words[0] ?? ''}"; "assay help" lists them`)
}

/** Parses a whole line. Throws a UsageError. With `--help` nothing else is demanded. */
export function parseLine(commands: readonly Command[], words: readonly string[]): ParsedLine {
  const command = findCommand(commands, words)
  const table: Options = { ...command.options, ...COMMON_OPTIONS }
  const { values, positionals } = split(command, table, words.slice(command.name.split(' ').length))
  const common: CommonValues = {
    server: textOf(values['server']),
    json: values['json'] === true,
    quiet: values['quiet'] === true,
    help: values['help'] === true,
  }
  if (common.help) return { command, args: { positionals: [], options: {} }, common }
  checkPositionals(command, positionals)
  const options: Record<string, ReturnType<typeof valueOf>> = {}
  for (const [name, option] of Object.entries(command.options)) options[name] = valueOf(command, name, option, values[name])
  return { command, args: { positionals, options }, common }
}

type RawValue = string | boolean | (string | boolean)[] | undefined

function split(command: Command, table: Options, words: string[]): { values: Record<string, RawValue>; positionals: string[] } {
  const options: ParseArgsConfig['options'] = {}
  for (const [name, option] of Object.entries(table)) {
    options[name] = { type: option.type === 'flag' ? 'boolean' : 'string', multiple: option.type === 'list' }
  }
  try {
    const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true, strict: true })
    return { values, positionals }
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0]! : String(error)
    throw new UsageError(`${message[0]!.toLowerCase()}${message.slice(1)}`, command)
  }
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const names = command.positionals
  const missing = names.find((name, i) => given[i] === undefined && !name.endsWith('…'))
  if (missing !== undefined) throw new UsageError(`${missing} is missing`, command)
  const open = names.at(-1)?.endsWith('…') === true
  if (!open && given.length > names.length) throw new UsageError(`"${given[names.length]}" is one word too many`, command)
}

function textOf(value: RawValue): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function valueOf(command: Command, name: string, option: Option, raw: RawValue): string | number | boolean | string[] | undefined {
  switch (option.type) {
    case 'flag':
      return raw === true
    case 'list':
      return Array.isArray(raw) ? raw.filter((value) => typeof value === 'string') : []
    case 'text': {
      const text = textOf(raw) ?? option.default
      if (text === undefined && option.required === true) throw missingOption(command, name, option)
      if (text !== undefined && option.choices !== undefined && !option.choices.includes(text))
        throw new UsageError(`--${name} is one of ${option.choices.join(', ')}; not "${text}"`, command)
      return text
    }
    case 'integer': {
      const text = textOf(raw)
      if (text === undefined) {
        if (option.required === true && option.default === undefined) throw missingOption(command, name, option)
        return option.default
      }
      const minimum = option.minimum ?? 0
      const integer = Number(text)
      if (!/^\d+$/.test(text) || !Number.isSafeInteger(integer) || integer < minimum)
        throw new UsageError(`--${name} is a whole number, ${minimum} or more; not "${text}"`, command)
      return integer
    }
  }
}

function missingOption(command: Command, name: string, option: Option): UsageError {
  return new UsageError(`--${name}${option.value === undefined ? '' : ` ${option.value}`} is missing`, command)
}
