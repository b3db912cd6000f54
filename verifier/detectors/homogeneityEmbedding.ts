/**
 * Homogeneity in meaning (D7): how many directions the embeddings of a fixed number of texts take, and how far each stands from its nearest
 * among them. The number of directions is the participation ratio of the covariance's eigenvalues, (Σλ)² / Σλ², which takes no eigenvalue.
 * Beside it stand the same figures of human references of this kind, where the recipe has them. Speaks of the whole, marks no samples.
 * Exploratory: a narrow subject is no fault.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { earlySamples } from '../earlySamples.ts'
import { takeVectors, type VectorSource } from '../vectors.ts'
import { createScores, type Detector, type Embeddings, integerParameter } from './detector.ts'

export const homogeneityEmbedding: Detector = {
  id: 'homogeneity_embedding',
  version: 1,
  tier: 'T1',
  property: 'hygiene',
  needs: { text: true, embeddings: true },
  parameters: {
    /** The figures depend on how many texts they are taken of. */
    drawnSamples: 400,
    /** Share of the references' figure below which a difference is worth a word. */
    lessMillionths: 800_000,
  },
  async run({ corpus, embeddings, references = [], parameters, signal }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const drawn = integerParameter(parameters, 'drawnSamples')
    const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
    const own = await measure(embeddings, drawn, seed)
    if (own === null) return { ran: false, note: `There are fewer than ${drawn} texts.` }
    await nextTurn()
    signal.throwIfAborted()
    const reference = references.find((one) => one.embeddings !== undefined)
    const theirs = reference?.embeddings === undefined ? null : await measure(reference.embeddings, drawn, seed)
    const less = integerParameter(parameters, 'lessMillionths') / 1_000_000
    const alike = theirs !== null && (own.directions < less * theirs.directions || own.nearest < less * theirs.nearest)
    const figures = `${drawn} texts take ${own.directions.toFixed(1)} directions, and the mean cosine distance to the nearest of the others is ${own.nearest.toFixed(3)}`
    const compared =
      theirs === null || reference === undefined
        ? ''
        : `; human texts of this kind (${reference.cell}) take ${theirs.directions.toFixed(1)}, at a distance of ${theirs.nearest.toFixed(3)}`
    return {
      ran: true,
      scores: createScores(corpus.count, false),
      flagged: new Uint8Array(corpus.count),
      findings: [
        {
          detector: 'homogeneity_embedding',
          property: 'hygiene',
          summary: `${alike ? 'The texts are more alike in meaning than human texts of this kind: ' : ''}${figures}${compared}.`,
          sampleCount: corpus.count,
          samples: [],
          facts: { directions_hundredths: Math.round(100 * own.directions), nearest_distance_millionths: Math.round(1e6 * own.nearest) },
        },
      ],
    }
  },
}

interface Figures {
  directions: number
  /** Mean cosine distance to the nearest of the others. */
  nearest: number
}

/** Of so many texts that were embedded; null where there are fewer. */
async function measure({ vectors, valid }: { vectors: VectorSource; valid: Embeddings['valid'] }, drawn: number, seed: number) {
  const samples = earlySamples(valid.length, seed, Math.max(4 * drawn, valid.length))
    .filter((sample) => valid[sample])
    .slice(0, drawn)
  return samples.length < drawn ? null : figuresOf(await takeVectors(vectors, samples), vectors.dimensions)
}

function figuresOf(values: Float32Array, dimensions: number): Figures {
  const count = values.length / dimensions
  const mean = new Float64Array(dimensions)
  for (let i = 0; i < values.length; i++) mean[i % dimensions]! += values[i]! / count
  const centred = Float64Array.from(values, (value, i) => value - mean[i % dimensions]!)
  // The eigenvalues of the covariance are those of the centred rows' products: their sum is the trace, the sum of their squares all products squared.
  let [trace, squares, nearest] = [0, 0, 0]
  const best = new Float64Array(count).fill(-1)
  for (let a = 0; a < count; a++)
    for (let b = 0; b <= a; b++) {
      let [product, similarity] = [0, 0]
      for (let d = 0, i = a * dimensions, j = b * dimensions; d < dimensions; d++, i++, j++) {
        product += centred[i]! * centred[j]!
        similarity += values[i]! * values[j]!
      }
      if (a === b) {
        trace += product
        squares += product * product
        continue
      }
      squares += 2 * product * product
      if (similarity > best[a]!) best[a] = similarity
      if (similarity > best[b]!) best[b] = similarity
    }
  for (const similarity of best) nearest += (1 - similarity) / count
  return { directions: squares > 0 ? (trace * trace) / squares : 0, nearest }
}
