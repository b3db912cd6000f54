/** How far the texts that ship are of one kind: whoever is left out must look like the rest. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import { folderOf, SHIPPED } from '../../cli/references/shipped.ts'
import { scoreText } from '../../verifier/detectors/syntheticText.ts'
import { createProbe, readWeights } from '../../verifier/synthetic/probe.ts'
import { canonicalText } from '../../verifier/text/canonical.ts'

const Row = z.object({ text: z.string(), speaker: z.string().optional(), profile: z.string().optional() })
/** Speaker or continent. */
const groupOf = ({ speaker, profile }: z.infer<typeof Row>) => speaker ?? profile!.split('/')[0]!

/** Share of the samples whose conformal p-value among the references of their class of length is at most `level`. */
function realisedRate(samples: readonly Scored[], references: readonly Scored[], level: number): number {
  const hits = samples.filter(({ score, lengthClass }) => {
    const own = references.filter((reference) => reference.lengthClass === lengthClass)
    return (1 + own.filter((reference) => reference.score >= score).length) / (1 + own.length) <= level
  })
  return hits.length / samples.length
}

interface Scored {
  group: string
  score: number
  lengthClass: number
}

test('at a setting of 1 %, of speakers or continents that are left out at most 1.5 % of the texts that ship would be false alarms', async () => {
  const probe = createProbe(readWeights())
  for (const shipped of SHIPPED) {
    const lines = zstdDecompressSync(await readFile(new URL(shipped.file, folderOf(shipped)))).toString().trimEnd().split('\n') // prettier-ignore
    const scored = lines.map((line): Scored => {
      const row = Row.parse(JSON.parse(line))
      return { group: groupOf(row), ...scoreText(probe, canonicalText(row.text))! }
    })
    const groups = Map.groupBy(scored, ({ group }) => group)
    assert.ok(groups.size > 5)
    let falseAlarms = 0
    for (const [left, own] of groups) falseAlarms += own.length * realisedRate(own, scored.filter(({ group }) => group !== left), 0.01) // prettier-ignore
    const rate = falseAlarms / scored.length
    assert.ok(rate > 0.003 && rate <= 0.015, `${shipped.folder}: ${rate}`)
  }
})
