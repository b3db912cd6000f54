/**
 * Exact duplicates (D1): samples whose text has the same canonical form as an earlier one's, and samples whose whole row has the same
 * digest. A text of fewer than `minimumCharacters` ("yes", "no") may well stand in many different rows: there the label has to agree
 * as well. The lowest number of each group is kept. A sample's score is the number of samples in its group.
 *
 * Groups whose members carry different labels are reported: at most one of the labels can be right.
 */
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { createKeyTable } from '../duplicates/keyTable.ts'
import { DRESS_ATTACKS } from '../injection/copies.ts'
import { mix } from '../numeric.ts'
import { drawTexts, powerOfRows, powerRandom, ROW_POWER_PARAMETERS } from '../power.ts'
import { canonicalText } from '../text/canonical.ts'
import { type Corpus, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

/** Samples of a group whose published forms are compared. */
const MOST_FORMS = 1000

export const exactDuplicate: Detector = {
  id: 'exact_duplicate',
  version: 4,
  tier: 'T0',
  property: 'duplication',
  flag: 'exact_duplicate',
  needs: {},
  parameters: { minimumCharacters: 32, groupsInEvidence: 8, ...ROW_POWER_PARAMETERS },
  async run({ corpus, parameters, signal, onProgress }) {
    const minimumCharacters = integerParameter(parameters, 'minimumCharacters')
    const scores = createScores(corpus.count, true)
    const flagged = new Uint8Array(corpus.count)
    const clusters = new Int32Array(corpus.count).fill(-1)
    const keys = createKeys(corpus, minimumCharacters)
    const keptOf = new Int32Array(corpus.count)
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 4096 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const kept = keys.firstOf(sample)
      keptOf[sample] = kept
      scores.values[kept]!++
    }

    const groups: number[] = []
    for (let sample = 0; sample < corpus.count; sample++) {
      const kept = keptOf[sample]!
      const size = scores.values[kept]!
      if (kept === sample && size > 1) groups.push(sample)
      if (kept !== sample) flagged[sample] = 1
      if (size > 1) clusters[sample] = kept
      scores.values[sample] = size
    }
    const findings = findingsOf()
    return { ran: true, scores, flagged, clusters, findings, pValue: groups.length === 0 ? 1 : 0, power: measurePower() }

    /** Of copies of texts in rows that differ elsewhere, but for the label; of whole rows where there are no texts. */
    function measurePower(): Power[] {
      const rows = integerParameter(parameters, 'powerRows')
      if (rows === 0) return []
      const random = powerRandom(corpus, 'copies')
      const limits = { random, rows, characters: integerParameter(parameters, 'powerCharacters') }
      const texts = drawTexts(corpus.count, (sample) => corpus.text(sample), limits)
      const drawn = texts.length > 0 ? texts : drawTexts(corpus.count, () => '', limits)
      const wholeRows = powerOfRows(
        { name: 'copies of rows' },
        { injected: drawn.length, found: drawn.filter((sample) => keys.has(sample, corpus.canonicalText(sample), true)).length },
        corpus.count,
      )
      const dressed = DRESS_ATTACKS.map((attack) => {
        const found = texts.filter((sample) => keys.has(sample, canonicalText(attack.copy(corpus.text(sample)!, random)), false)).length
        return powerOfRows({ name: `copies of texts: ${attack.name}` }, { injected: texts.length, found }, corpus.count)
      })
      return [wholeRows, ...dressed]
    }

    function findingsOf(): Finding[] {
      if (groups.length === 0) return []
      const members = new Map<number, number[]>(groups.map((kept) => [kept, []]))
      for (let sample = 0; sample < corpus.count; sample++) if (clusters[sample]! >= 0) members.get(clusters[sample]!)!.push(sample)
      const largest = groups.toSorted((a, b) => scores.values[b]! - scores.values[a]! || a - b)
      const duplicates = flagged.reduce((sum, flag) => sum + flag, 0)
      const findings: Finding[] = [
        {
          detector: 'exact_duplicate',
          property: 'duplication',
          flag: 'exact_duplicate',
          summary: `${duplicates === 1 ? '1 sample repeats' : `${duplicates} samples repeat`} an earlier one; groups of equal samples: ${groups.length}, the largest of ${scores.values[largest[0]!]!}.`,
          sampleCount: duplicates,
          samples: firstFlagged(),
          facts: { groups: groups.length, largest_group: scores.values[largest[0]!]! },
        },
      ]
      for (const kept of largest.slice(0, integerParameter(parameters, 'groupsInEvidence'))) {
        const group = members.get(kept)!
        const text = corpus.text(kept)
        findings.push({
          detector: 'exact_duplicate',
          property: 'duplication',
          flag: 'exact_duplicate',
          summary: `${group.length} samples are the same; sample ${kept} is kept.`,
          sampleCount: group.length,
          samples: group.slice(0, MAX_FINDING_SAMPLES),
          facts: text === null ? {} : { excerpt: excerpt(text), ...formsOf(group) },
        })
      }
      const disagreeing = groups.filter((kept) => new Set(members.get(kept)!.map((sample) => corpus.label(sample))).size > 1)
      if (disagreeing.length > 0)
        findings.push({
          detector: 'exact_duplicate',
          property: 'label_quality',
          summary: `${disagreeing.length === 1 ? '1 group of equal texts carries' : `${disagreeing.length} groups of equal texts carry`} more than one label: at most one of them is right.`,
          sampleCount: disagreeing.reduce((sum, kept) => sum + members.get(kept)!.length, 0),
          samples: disagreeing.slice(0, MAX_FINDING_SAMPLES),
          facts: {
            examples: disagreeing.slice(0, 8).map((kept) => {
              const labels = [...new Set(members.get(kept)!.map((sample) => corpus.label(sample) ?? '(none)'))].slice(0, 4)
              return `sample ${kept}: ${labels.map((label) => label.slice(0, 64)).join(', ')}`
            }),
          },
        })
      return findings
    }

    /** In how many ways equal texts were published: white space, characters that are not seen, look-alike letters. */
    function formsOf(group: readonly number[]): { published_forms?: number } {
      const forms = new Set(group.slice(0, MOST_FORMS).map((sample) => corpus.text(sample)))
      return forms.size < 2 ? {} : { published_forms: forms.size }
    }

    function firstFlagged(): number[] {
      const samples: number[] = []
      for (let sample = 0; sample < corpus.count && samples.length < MAX_FINDING_SAMPLES; sample++)
        if (flagged[sample]) samples.push(sample)
      return samples
    }
  },
}

/** What makes two samples equal: a long text; or the whole row; or a short text and its label. */
type Key = 'text' | 'row' | 'labelled'

interface Keys {
  /** The lowest number of the samples so far that are equal to one, its own where none is; asked for once each, in their order. */
  firstOf(sample: number): number
  /** Whether a copy of a sample with such a canonical text would be equal to one: of the whole row, or of text and label alone. */
  has(sample: number, copiedText: string | null, wholeRow: boolean): boolean
}

/** What is looked up: the row of a sample, with this canonical text. */
interface Probe {
  sample: number
  text: string | null
}

function createKeys(corpus: Corpus, minimumCharacters: number): Keys {
  const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getInt32(8)
  const table = createKeyTable(2 * corpus.count)
  /** Of each key in the table: what it is, and the sample that it was taken from. */
  const kinds = new Uint8Array(2 * corpus.count)
  const samples = new Int32Array(2 * corpus.count)

  function hashOf({ sample, text }: Probe, kind: Key): number {
    if (kind === 'row') return mix(new DataView(corpus.digest(sample).buffer, corpus.digest(sample).byteOffset).getInt32(0) ^ seed)
    return hashText(text!, kind === 'text' ? seed : hashText(corpus.label(sample)!, seed))
  }

  function isSame(known: number, { sample, text }: Probe, kind: Key): boolean {
    if (kind === 'row') return Buffer.compare(corpus.digest(known), corpus.digest(sample)) === 0
    return (kind === 'text' || corpus.label(known) === corpus.label(sample)) && corpus.canonicalText(known) === text
  }

  function find(probe: Probe, kind: Key, hash: number): number {
    return table.find(hash, (key) => kinds[key] === KINDS[kind] && isSame(samples[key]!, probe, kind))
  }

  function first(probe: Probe, kind: Key): number {
    const hash = hashOf(probe, kind)
    const known = find(probe, kind, hash)
    if (known >= 0) return samples[known]!
    const key = table.add(hash)
    kinds[key] = KINDS[kind]
    samples[key] = probe.sample
    return probe.sample
  }

  const isLong = (text: string | null) => text !== null && text.length >= minimumCharacters
  const hasLabelKey = ({ sample, text }: Probe) => text !== null && text !== '' && corpus.label(sample) !== null

  return {
    firstOf(sample) {
      const probe = { sample, text: corpus.canonicalText(sample) }
      if (isLong(probe.text)) return first(probe, 'text')
      const row = first(probe, 'row')
      return hasLabelKey(probe) ? Math.min(row, first(probe, 'labelled')) : row
    },
    has(sample, text, wholeRow) {
      const probe = { sample, text }
      const holds = (kind: Key) => find(probe, kind, hashOf(probe, kind)) >= 0
      if (isLong(text)) return holds('text')
      return (wholeRow && holds('row')) || (hasLabelKey(probe) && holds('labelled'))
    },
  }
}

const KINDS: Readonly<Record<Key, number>> = { text: 1, row: 2, labelled: 3 }

/** As FNV-1a, over pairs of UTF-16 units, from a seed that nobody knew who wrote the texts. */
function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  const pairs = text.length & ~1
  for (let i = 0; i < pairs; i += 2) {
    hash = Math.imul(hash ^ (text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16)), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return mix(pairs === text.length ? hash : hash ^ text.charCodeAt(pairs))
}
