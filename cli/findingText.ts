/** A finding with its evidence, as it is printed. What stands in it comes from a verifier and from the data: nothing drives the terminal. */
import type { Finding } from '../core/findings.ts'
import { formatMillionths, printable } from './output.ts'
import { wrap } from './wrap.ts'

const INDENT = 4
/** Longer strings stand on lines of their own. */
const SHORT = 32
const LIST_ITEMS = 5
const SAMPLES = 8

type Fact = Finding['facts'][string]

/** Its summary, samples and facts. */
export function describeFinding({ detector, summary, samples, sampleCount, facts }: Finding): string[] {
  const numbers = samples.length === 0 ? '' : ` (samples ${samples.slice(0, SAMPLES).join(', ')}${sampleCount > SAMPLES ? ' …' : ''})`
  const named = Object.entries(facts).map(([name, fact]): [string, Fact] => [printable(name).replaceAll('_', ' '), fact])
  const short = named.flatMap(([name, fact]) => (isShort(fact) ? [scalar(name, fact)] : []))
  return [
    ...wrap(`${printable(detector)}: ${printable(summary)}${numbers}`, INDENT, '  '),
    ...(short.length === 0 ? [] : wrap(short.join('; '), INDENT)),
    ...named.flatMap(([name, fact]) => (isShort(fact) ? [] : long(name, fact))),
  ]
}

function isShort(fact: Fact): fact is string | number {
  return typeof fact === 'number' || (typeof fact === 'string' && fact.length <= SHORT && !fact.includes('\n'))
}

/** Units stand at the ends of names. */
function scalar(name: string, fact: string | number): string {
  if (typeof fact === 'string') return `${name}: ${printable(fact)}`
  if (name.endsWith(' millionths')) return `${name.slice(0, -' millionths'.length)}: ${formatMillionths(fact)}`
  if (name.endsWith(' thousandths')) return `${name.slice(0, -' thousandths'.length)}: ${fact / 1000}`
  return `${name}: ${fact}`
}

function long(name: string, fact: Fact): string[] {
  if (!Array.isArray(fact)) return wrap(`${name}: ${printable(String(fact))}`, INDENT + 2, ' '.repeat(INDENT))
  const items = fact.slice(0, LIST_ITEMS).flatMap((item) => wrap(printable(item), INDENT + 2, `${' '.repeat(INDENT)}- `))
  const rest = fact.length - LIST_ITEMS
  return [`${' '.repeat(INDENT)}${name}:`, ...items, ...(rest > 0 ? [`${' '.repeat(INDENT)}- and ${rest} more, with --json`] : [])]
}
