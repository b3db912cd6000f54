/** What a person is told of classes whose labels a way of writing decides: how many, by which marks, and samples beside what their content suggests. */
import type { Finding } from '../../core/findings.ts'
import { type Corpus, excerpt, MAX_FINDING_SAMPLES } from '../detectors/detector.ts'
import type { Material } from './material.ts'
import type { StyleVerdict } from './verdicts.ts'

export interface FindingsOptions {
  scores: Int32Array
  flagged: Uint8Array
  examples: number
}

const MARKS = 16

/** One finding for each of the verdicts, the least likely by chance first. */
export function styleFindings(
  corpus: Corpus,
  material: Material,
  verdicts: readonly StyleVerdict[],
  { scores, flagged, examples }: FindingsOptions,
): Finding[] {
  const { labelled, content } = material
  return verdicts
    .toSorted((a, b) => a.chance - b.chance || a.label - b.label)
    .flatMap(({ label, excess, factor, chance }): Finding[] => {
      if (excess === null) return []
      const own = labelled.classNames[label]!
      const name = own.slice(0, 128)
      const samples = [...flagged.keys()].filter((sample) => flagged[sample] && corpus.label(sample) === own)
      const best = samples.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, examples)
      return [
        {
          detector: 'style_poison',
          property: 'poison',
          flag: 'style',
          summary: `${samples.length} samples labelled “${name}” share a way of writing that goes with this label whatever they are about: of the ${excess.count} texts that are written most like them ${excess.members} have the label, where their content suggests ${Math.round(excess.expected)}. In the other classes of this data set the way of writing decides less.`,
          sampleCount: samples.length,
          samples: samples.slice(0, MAX_FINDING_SAMPLES),
          facts: {
            label: name,
            texts_most_alike: excess.count,
            of_these_with_the_label: excess.members,
            expected_by_content: Math.round(excess.expected),
            tolerated_factor_of_the_odds_thousandths: Math.round(factor * 1000),
            chance_at_most_millionths: Math.ceil(chance * 1_000_000),
            marks: marksOf(material, label, flagged),
            most_alike: best.map((sample) => {
              const place = labelled.placeOf[sample]!
              const suggested = place < 0 ? '' : `, by its content “${name}” with ${Math.round(100 * content(label)[place]!)} %`
              return `sample ${sample}${suggested}: ${excerpt(corpus.text(sample) ?? '')}`
            }),
          },
        },
      ]
    })
}

/** Features of the skeleton that the flagged samples have far more often than samples of other labels. */
function marksOf({ labelled, views: { skeletons } }: Material, label: number, flagged: Uint8Array): string[] {
  const { offsets, columns, featureCount, nameOf } = skeletons
  const own = new Float64Array(featureCount)
  const foreign = new Float64Array(featureCount)
  let [ownCount, foreignCount] = [0, 0]
  for (const [place, sample] of labelled.samples.entries()) {
    const isForeign = labelled.classes[place] !== label
    if (!isForeign && !flagged[sample]) continue
    const to = isForeign ? foreign : own
    if (isForeign) foreignCount++
    else ownCount++
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) to[columns[i]!]!++
  }
  const surprise = own.map((count, column) => {
    const expected = ((foreign[column]! + 0.5) / (foreignCount + 1)) * ownCount
    return (count - expected) / Math.sqrt(expected + 0.5)
  })
  return [...surprise.keys()]
    .filter((column) => surprise[column]! > 3)
    .sort((a, b) => surprise[b]! - surprise[a]! || a - b)
    .slice(0, MARKS)
    .map(
      (column) =>
        `“${nameOf(column)}”: in ${own[column]!} of ${ownCount} flagged, in ${foreign[column]!} of ${foreignCount} with other labels`,
    )
}
