/**
 * Runs the measurements, each in a process of its own, and prints them as one table.
 *
 *     npm run bench -- [publish] [index] [stream] [log] [receipts] [embedding] [shards] [knn] [t0] [--out FILE] [sizes]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Measurement } from './support/measurement.ts'
import { SIZE_OPTIONS, SIZES_HELP, formatRate, parseSizes } from './support/program.ts'

const PROGRAMS = ['publish', 'index', 'stream', 'log', 'receipts', 'embedding', 'shards', 'knn', 't0']

const HELP = `npm run bench -- [NAME …] [--out FILE] [--SIZE N …]

Measurements, all of them by default: ${PROGRAMS.join(', ')}

  --out FILE    writes the measurements as JSON
  --help        this

Sizes, of those measurements that have them:
${SIZES_HELP}
`

const line = parseLine()
if (typeof line === 'string') {
  console.error(`${line}\n\n${HELP}`)
  process.exitCode = 2
} else if (line.help) console.log(HELP)
else await runAll(line)

interface Line {
  names: string[]
  /** Flags for the programs. */
  sizes: string[]
  out: string | undefined
  help: boolean
}

/** The command line, or what is wrong with it. */
function parseLine(): Line | string {
  try {
    const { values, positionals } = parseArgs({
      options: { ...SIZE_OPTIONS, out: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
      allowPositionals: true,
    })
    const unknown = positionals.filter((name) => !PROGRAMS.includes(name))
    if (unknown.length > 0) return `there is no measurement ${unknown.join(', ')}`
    const sizes = Object.entries(parseSizes(values)).flatMap(([name, value]) => [`--${name}`, String(value)])
    return { names: positionals.length > 0 ? positionals : PROGRAMS, sizes, out: values.out, help: values.help }
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}

async function runAll({ names, sizes, out }: Line): Promise<void> {
  const machine = {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
  const measurements: Measurement[] = []
  for (const name of names) measurements.push(...(await runProgram(name, sizes)))
  console.log(`\n${table(measurements)}\n`)
  console.log(
    `${machine.cores} cores, ${machine.cpu}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${machine.platform}, Node ${machine.node}`,
  )
  if (out !== undefined) await writeFile(out, `${JSON.stringify({ machine, measurements }, null, 2)}\n`)
}

/** The measurements of one program. One that fails fails the whole, after the others have run. */
async function runProgram(name: string, sizes: readonly string[]): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  const child = fork(new URL(`${name}.ts`, import.meta.url), sizes)
  child.on('message', (message) => measurements.push(message as Measurement)) // by support/program.ts
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  if (exitCode !== 0) process.exitCode = 1
  return measurements
}

function table(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, unit, figure, floor, against, ratio, required, size }) => [
    name,
    `${formatRate(figure)} ${unit}`,
    `${formatRate(floor)} ${unit}`,
    required === undefined ? ratio.toFixed(3) : `${ratio.toFixed(3)} ≥ ${required}${ratio < required ? ' FAILED' : ''}`,
    against,
    size,
  ])
  const all = [['measurement', 'figure', 'floor', 'ratio', 'the floor is', 'size'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
