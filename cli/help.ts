/** Help as text, made from the table of commands. */
import { COMMON_OPTIONS } from './arguments.ts'
import type { Command, Option, Options } from './command.ts'

/** `assay help`: every command in one line. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command): [string, string] => [[command.name, ...command.positionals].join(' '), command.summary])
  return [
    'assay: an open dataset registry and verification service',
    '',
    'usage: assay COMMAND [OPTIONS]',
    '',
    ...columns(rows),
    '',
    'everywhere:',
    ...optionRows(COMMON_OPTIONS),
    '',
    '"assay help COMMAND" explains one of them.',
  ].join('\n')
}

/** `assay help COMMAND`. */
export function explain(command: Command): string {
  const options = Object.keys(command.options).length > 0 ? ['', 'options:', ...optionRows(command.options)] : []
  const description = command.description === undefined ? [] : ['', command.description]
  return [
    `usage: assay ${[command.name, ...command.positionals, ...requiredOptions(command)].join(' ')} [OPTIONS]`,
    '',
    command.summary,
    ...description,
    ...options,
    '',
    'everywhere:',
    ...optionRows(COMMON_OPTIONS),
  ].join('\n')
}

function requiredOptions(command: Command): string[] {
  return Object.entries(command.options)
    .filter(([, option]) => 'required' in option && option.required)
    .map(([name, option]) => `--${name} ${option.value ?? 'VALUE'}`)
}

function optionRows(options: Options): string[] {
  return columns(Object.entries(options).map(([name, option]) => [`--${name}${placeholder(option)}`, helpOf(option)]))
}

function placeholder(option: Option): string {
  if (option.type === 'flag') return ''
  if (option.type === 'text' && option.choices !== undefined) return ` ${option.choices.join('|')}`
  return ` ${option.value ?? 'VALUE'}`
}

function helpOf(option: Option): string {
  const fallback = 'default' in option && option.default !== undefined ? ` (default ${option.default})` : ''
  return `${option.help}${fallback}${option.type === 'list' ? '; may be repeated' : ''}`
}

function columns(rows: [string, string][]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)))
  return rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
  )
}
