/** Figures for a person, a line for each file, slice and detector; and for a script, a line for each figure. */
import type { Result } from './result.ts'

const HEAD = ['file', 'slice', 'detector']

/** `{"results": [...], "versions": {...}}`, one figure a line, so that two reports can be compared line by line; versions of the detectors. */
export function formatReport(results: readonly Result[], versions: Readonly<Record<string, number>>): string {
  return `{"results":[\n${results.map((result) => JSON.stringify(result)).join(',\n')}\n],"versions":${JSON.stringify(versions)}}\n`
}

/** A table for each group. */
export function formatTable(results: readonly Result[]): string {
  return [...Map.groupBy(results, ({ group }) => group)].map(([group, own]) => `${group}\n${formatGroup(own)}`).join('\n\n')
}

function formatGroup(results: readonly Result[]): string {
  const rows = [...Map.groupBy(results, ({ file, slice, detector }) => [file, slice, detector].join('\0'))].map(([key, own]) => {
    const figures = own.map(
      ({ metric, value, low, high }) =>
        `${metric} ${short(value)}${low === null || high === null ? '' : ` [${short(low)}, ${short(high)}]`}`,
    )
    return [...key.split('\0'), figures.join('  ')]
  })
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)))
  return [[...HEAD, 'figures'], ...rows]
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}`,
    )
    .join('\n')
}

function short(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) < 0.01 ? 5 : 4)
}
