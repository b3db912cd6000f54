/**
 * Exact duplicates (D1): samples whose text has the same canonical form as an earlier one's, and samples whose whole row has the same
 * digest. A text of fewer than `minimumCharacters` ("yes", "no") may well stand in many different rows: there the label has to agree
 * as well. The lowest number of each group is kept. A sample's score is the number of samples in its group.
 *
 * Groups whose members carry different labels are reported: at most one of the labels can be right.
 */
import type { Finding } from '../../core/findings.ts'
import { createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

export const exactDuplicate: Detector = {
  id: 'exact_duplicate',
  version: 1,
  tier: 'T0',
  property: 'duplication',
  flag: 'exact_duplicate',
  needs: {},
  parameters: { minimumCharacters: 32, groupsInEvidence: 8 },
  async run({ corpus, parameters, signal, onProgress }) {
    const minimumCharacters = integerParameter(parameters, 'minimumCharacters')
    const scores = createScores(corpus.count, true)
    const flagged = new Uint8Array(corpus.count)
    const clusters = new Int32Array(corpus.count).fill(-1)
    const firstOf = new Map<string, number>()
    const keptOf = new Int32Array(corpus.count)
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 4096 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      let kept = sample
      for (const key of keysOf(sample)) {
        const first = firstOf.get(key)
        if (first === undefined) firstOf.set(key, kept)
        else kept = Math.min(kept, first)
      }
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
    return { ran: true, scores, flagged, clusters, findings, pValue: groups.length === 0 ? 1 : 0 }

    /** What makes two samples equal. Prefixes keep the kinds of key apart. */
    function keysOf(sample: number): string[] {
      const text = corpus.canonicalText(sample)
      if (text !== null && text.length >= minimumCharacters) return [`t${text}`]
      const row = `d${latin1(corpus.digest(sample))}`
      const label = corpus.label(sample)
      return text === null || text === '' || label === null ? [row] : [row, `l${label}\0${text}`]
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
          summary: `${duplicates} samples repeat an earlier one; there are ${groups.length} such groups, the largest of ${scores.values[largest[0]!]!}.`,
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
          facts: text === null ? {} : { excerpt: excerpt(text) },
        })
      }
      const disagreeing = groups.filter((kept) => new Set(members.get(kept)!.map((sample) => corpus.label(sample))).size > 1)
      if (disagreeing.length > 0)
        findings.push({
          detector: 'exact_duplicate',
          property: 'label_quality',
          summary: `${disagreeing.length} groups of equal texts carry more than one label: at most one of them is right.`,
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

    function firstFlagged(): number[] {
      const samples: number[] = []
      for (let sample = 0; sample < corpus.count && samples.length < MAX_FINDING_SAMPLES; sample++)
        if (flagged[sample]) samples.push(sample)
      return samples
    }
  },
}

/** 32 bytes as a string of 32 characters, to be a key. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
