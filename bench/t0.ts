/**
 * Documents a CPU-second of every detector of tier T0 and of all together, and the peak of memory, on made-up documents of about 1.3 kB
 * with and without labels; against making the canonical form of each text and its tokens alone.
 *
 *     node bench/t0.ts [--rows N]    N documents instead of 20,000 and 100,000
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { T0Figures } from './support/t0Run.ts'
import { report, sizesFrom } from './support/program.ts'

const SIZES = [20_000, 100_000]

const { rows } = sizesFrom({ rows: 0 })
for (const count of rows === 0 ? SIZES : [rows])
  for (const labels of [true, false]) {
    // A process for each, so that the peak of memory is its own.
    const child = fork(new URL('./support/t0Run.ts', import.meta.url), [String(count), labels ? 'labels' : 'plain'])
    const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`t0Run.ts ended with code ${code}`)))
    const [{ floor, detectors, bytes, before, peak, skipped }] = (await Promise.race([once(child, 'message'), failed])) as [T0Figures]
    const together = 1 / detectors.reduce((sum, { rate }) => sum + 1 / rate, 0)
    const megabytes = (value: number) => `${Math.round(value / 1e6)} MB`
    for (const { id, rate } of [...detectors, { id: 'all together', rate: together }])
      report({
        name: `T0 ${id}${labels ? ', labels' : ''}`,
        unit: 'docs/CPU-s',
        figure: rate,
        floor,
        ratio: rate / floor,
        rounds: [{ figure: rate, floor }],
        against: 'canonical form and tokens alone',
        size: `${count} documents, ${megabytes(bytes)}, peak ${megabytes(peak)} of which the documents ${megabytes(before)}`,
      })
    console.log(`not run: ${skipped.join('; ')}`)
  }
