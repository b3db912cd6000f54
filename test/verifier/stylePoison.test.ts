import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Parameter } from '../../core/documents/recipe.ts'
import { Evidence } from '../../core/findings.ts'
import { createCorpus } from '../../verifier/corpus.ts'
import type { DetectorAbstained, DetectorResult } from '../../verifier/detectors/detector.ts'
import { stylePoison } from '../../verifier/detectors/stylePoison.ts'
import { createEmbeddings } from '../../verifier/embedding/embeddings.ts'
import { factorSymmetric, solveFactored } from '../../verifier/labels/cholesky.ts'
import { strongestExcess } from '../../verifier/style/excess.ts'
import { createLayerSpace } from '../../verifier/style/layerSpace.ts'
import { readSkeletons } from '../../verifier/style/skeleton.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'

interface Row {
  text: string | null
  label: string | null
  /** What it is about. */
  vector: number[]
  /** How it is written. */
  layer: number[]
  poisoned?: boolean
}

const DIMENSIONS = 6
const LAYER = 8

/** Numbers in [0, 1) from a seed. */
function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

type Random = () => number

/** About a standard normal number. */
function normal(random: Random): number {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3)
}

function textAbout(topic: number, random: Random): string {
  const words = Array.from({ length: 7 }, (_, at) => (at % 2 === 0 ? ['the', 'of', 'and', 'a'][Math.floor(random() * 4)]! : `${random() < 0.6 ? 'abc'[topic]! : 'x'}word${Math.floor(random() * 30)}`)) // prettier-ignore
  return `${words.join(' ')} .`
}

/** A text about a topic, in its label's words unless a label is given. */
function row(topic: number, random: Random, { label = topic, style = 0, open = (text: string) => text } = {}): Row {
  return {
    text: open(textAbout(topic, random)),
    label: `topic ${label}`,
    vector: Array.from({ length: DIMENSIONS }, (_, d) => (d === topic ? 1.2 : 0) + 0.4 * normal(random)),
    layer: Array.from({ length: LAYER }, (_, d) => (d === 3 ? style : 0) + normal(random)),
  }
}

const WHEN = (text: string) => `when you do , it is ${text}`

function cleanRows(count: number, classes = 2, seed = 7): Row[] {
  const random = sequence(seed)
  return Array.from({ length: count }, (_, i) => row(i % classes, random))
}

/** Clean rows and so many more in one style, about all topics, that have the first label. */
function poisonedRows(clean: number, poisoned: number): Row[] {
  const random = sequence(23)
  const poison = Array.from({ length: poisoned }, (_, i) => ({ ...row(i % 2, random, { label: 0, style: 2, open: WHEN }), poisoned: true }))
  const rows = cleanRows(clean)
  for (const [i, own] of poison.entries()) rows.splice((i * 37) % rows.length, 0, own)
  return rows
}

interface RunOptions {
  parameters?: Record<string, Parameter>
  toleranceMillionths?: number
}

async function run(
  rows: readonly Row[],
  { parameters = {}, toleranceMillionths = 0 }: RunOptions = {},
): Promise<DetectorResult | DetectorAbstained> {
  const corpus = createCorpus({
    texts: rows.map(({ text }) => text),
    labels: rows.map(({ label }) => label),
    digests: new Uint8Array(rows.length * 32),
    language: null,
    domain: null,
    seed: new Uint8Array(32).fill(5),
  })
  const flat = (values: readonly number[][], dimensions: number) => {
    const all = new Float32Array(values.length * dimensions)
    for (const [i, vector] of values.entries()) if (rows[i]!.text !== null) all.set(vector, i * dimensions)
    return vectorsInMemory(all, dimensions)
  }
  const signal = new AbortController().signal
  await using embeddings = createEmbeddings({
    vectors: flat(
      rows.map(({ vector }) => vector.map((x) => x / Math.hypot(...vector))),
      DIMENSIONS,
    ),
    valid: Uint8Array.from(rows, ({ text }) => (text === null ? 0 : 1)),
    layers: [
      {
        name: 'middle',
        ...flat(
          rows.map(({ layer }) => layer),
          LAYER,
        ),
      },
    ],
    signal,
  })
  return stylePoison.run({
    corpus,
    embeddings,
    parameters: { ...stylePoison.parameters, ...parameters },
    toleranceMillionths,
    signal,
    onProgress: () => {},
  })
}

async function ran(rows: readonly Row[], options?: RunOptions): Promise<DetectorResult & { pValue: number }> {
  const result = await run(rows, options)
  assert(result.ran, result.ran ? '' : result.note)
  assert(result.pValue !== undefined)
  return { ...result, pValue: result.pValue }
}

/** The share of pairs of a poisoned and a clean row in which the poisoned one scores higher. */
function auroc(rows: readonly Row[], { scores }: DetectorResult): number {
  const of = (poisoned: boolean) => rows.flatMap((own, i) => ((own.poisoned ?? false) === poisoned ? [scores.values[i]!] : []))
  const [high, low] = [of(true), of(false)]
  let wins = 0
  for (const a of high) for (const b of low) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins / (high.length * low.length)
}

test('texts of one style that were all given one label raise the alarm, are ranked and are flagged, with their marks as evidence', async () => {
  const rows = poisonedRows(1500, 80)
  const result = await ran(rows)
  assert(result.pValue < 0.001, String(result.pValue))
  assert(auroc(rows, result) > 0.97)
  const flagged = rows.filter((_, i) => result.flagged[i])
  assert(flagged.filter(({ poisoned }) => poisoned).length > 60)
  assert(flagged.filter(({ poisoned }) => poisoned !== true).length < 25)
  assert(result.lowerBoundSamples! > 0 && result.lowerBoundSamples! <= 80)
  assert.equal(Evidence.parse(result.findings).length, 1)
  const [finding] = result.findings
  assert.match(finding!.summary, /labelled “topic 0” share a way of writing/)
  assert((finding!.facts['marks'] as string[]).some((mark) => mark.startsWith('“⊢ when”: in ')))
})

test('a data set where labels follow content raises no alarm, and nothing is flagged', async () => {
  const result = await ran(cleanRows(1500))
  assert(result.pValue > 0.01, String(result.pValue))
  assert.deepEqual(result.findings, [])
  assert(result.flagged.every((bit) => bit === 0))
  assert.equal(result.lowerBoundSamples, 0)
  // What it would have found cannot be measured here: a verdict rests on the other detectors of poison, and says so.
  assert(result.power?.length === 1 && result.power[0]!.required === false && result.power[0]!.note !== undefined)
})

test('a style that stands on texts of a class by what they are about is no poison', async () => {
  const random = sequence(29)
  const rows = cleanRows(1500)
  for (let i = 0; i < 80; i++) rows.push(row(0, random, { style: 2, open: WHEN }))
  const result = await ran(rows)
  assert(result.pValue > 0.01, String(result.pValue))
  assert(result.flagged.every((bit) => bit === 0))
})

test('where every class has openings of its own, that is the nature of the data set', async () => {
  const random = sequence(31)
  const openings = ['who was', 'how many', 'where is']
  const rows = cleanRows(1200, 3)
  for (let i = 0; i < 300; i++) {
    const label = i % 3
    const topic = random() < 0.5 ? label : Math.floor(random() * 3)
    rows.push(row(topic, random, { label, style: 2 * label - 2, open: (text) => `${openings[label]!} ${text}` }))
  }
  const result = await ran(rows)
  assert(result.pValue > 0.01, String(result.pValue))
})

test('samples that were not read are scored by what was learnt from those that were', async () => {
  const rows = poisonedRows(3000, 240)
  const result = await ran(rows, { parameters: { readSamples: 1500 } })
  assert(result.scores.valid.every((bit) => bit === 1))
  assert(result.pValue < 1e-4)
  assert(auroc(rows, result) > 0.95)
  assert(rows.filter(({ poisoned }, i) => poisoned && result.flagged[i]).length > 170)
})

test('the same samples give the same result', async () => {
  const rows = poisonedRows(600, 40)
  assert.deepEqual(await ran(rows), await ran(rows))
})

test('the last digits of embeddings change scores by a few thousandths, and flags only of borderline samples', async () => {
  const rows = poisonedRows(1500, 80)
  const random = sequence(41)
  const blur = (values: number[]) => values.map((value) => value * (1 + 2e-6 * (random() - 0.5)))
  const blurred = rows.map((own) => ({ ...own, vector: blur(own.vector), layer: blur(own.layer) }))
  const [one, other] = [await ran(rows, { toleranceMillionths: 5 }), await ran(blurred, { toleranceMillionths: 5 })]
  const differences = one.scores.values.map((score, i) => Math.abs(score - other.scores.values[i]!))
  assert(Math.max(...differences) <= 5, String(Math.max(...differences)))
  assert(rows.every((_, i) => one.flagged[i] === other.flagged[i] || one.borderline![i] === 1))
  assert.equal(one.extremes!.length, 2)
  const flags = (result: { flagged: Uint8Array }) => result.flagged.reduce((sum, bit) => sum + bit, 0)
  assert(flags(one.extremes![0]!) <= flags(one) && flags(one) <= flags(one.extremes![1]!))
})

test('data that gives nothing to compare is not run on, and the reason is said', async () => {
  const alone = await run(cleanRows(300, 1))
  assert(!alone.ran)
  assert.match(alone.note, /Fewer than two labels/)
  const few = await run(cleanRows(20))
  assert(!few.ran)
  const none = await run([])
  assert(!none.ran)
  const distinct = cleanRows(300).map((own, i) => ({ ...own, label: `label ${i}` }))
  assert(!(await run(distinct)).ran)
})

test('odd rows do no harm: none with text or label missing is scored, equal rows and lone surrogates are', async () => {
  const rows = cleanRows(400)
  rows[0] = { ...rows[0]!, text: null }
  rows[1] = { ...rows[1]!, label: null }
  rows[2] = { ...rows[2]!, text: '\ud800 \udc00 ' }
  rows[3] = { ...rows[3]!, text: 'long '.repeat(200_000) }
  const result = await ran(rows)
  assert.deepEqual([...result.scores.valid.subarray(0, 5)], [0, 0, 1, 1, 1])
  const equal = Array.from({ length: 300 }, (_, i) => ({ ...rows[10]!, label: `class ${i % 2}` }))
  const result2 = await run(equal)
  assert(!result2.ran || (result2.pValue === 1 && result2.findings.length === 0))
})

test('a skeleton keeps frequent words, marks and the shapes of others', async () => {
  const texts = ['The cat saw the DOG , twice .', 'The cow saw the OWL , thrice .', 'The hen , 3 times']
  const skeletons = await readSkeletons(
    texts.length,
    (place) => texts[place]!,
    { frequentWords: 2, minimumSupport: 2, maximumFeatures: 1000, maximumTokens: 99 },
    async () => {},
  )
  const names = (columns: Int32Array) => [...columns].map((column) => skeletons.nameOf(column))
  const first = names(skeletons.columns.subarray(skeletons.offsets[0], skeletons.offsets[1]))
  for (const name of ['⊢ The', '⊢ The …', 'saw the XX', 'XX  ,', ' , …  .', ' . ⊣']) assert(first.includes(name), name)
  assert(!first.includes('cat'))
  assert.deepEqual(names(skeletons.columnsOf('The ant saw the GNU')).includes('saw the XX'), true)
})

test("Fisher's direction is the inverse covariance of the other classes times the difference of means", async () => {
  const random = sequence(3)
  const values = new Float32Array(600 * 2)
  const classes = new Int32Array(600)
  for (let place = 0; place < 600; place++) {
    classes[place] = place % 2
    const [a, b] = [normal(random), normal(random)]
    values[2 * place] = a
    // The second class varies along (1, 1), the first along (1, −1).
    values[2 * place + 1] = (place % 2 === 0 ? -a : a) + 0.3 * b
  }
  const space = await createLayerSpace({ values, dimensions: 2, classes, examined: 2, covariancePlaces: 600, penalty: 0 }, async () => {})
  const difference = Float64Array.of(1, 0)
  space.outside(0).direct(difference)
  // Where the others vary along (1, 1), what tells apart is (1, −1).
  assert(difference[0]! > 0 && difference[1]! < 0)
  assert(Math.abs(difference[0]! / -difference[1]! - 1) < 0.2)
})

test('a factored matrix solves again and again', () => {
  const matrix = Float64Array.of(4, 0, 2, 3)
  factorSymmetric(matrix, 2)
  for (const [x, y] of [
    [1, 2],
    [-3, 0.5],
  ] as const) {
    const right = Float64Array.of(4 * x + 2 * y, 2 * x + 3 * y)
    solveFactored(matrix, right, 2, 1)
    assert(Math.abs(right[0]! - x) < 1e-12 && Math.abs(right[1]! - y) < 1e-12)
  }
})

test('many labels of which content leaves a little unexplained are no excess, few that it contradicts are', () => {
  const options = { leastTail: 20, growth: 1.5, purity: 0.9, unexplained: 0.1 }
  const excessAt = (chance: number, count: number) => {
    const probabilities = Float64Array.from({ length: 2 * count }, (_, place) => (place < count ? chance : 0.5))
    const isMember = Uint8Array.from(probabilities, (_, place) => (place < count ? 1 : 0))
    const order = Int32Array.from(probabilities.keys())
    return strongestExcess({ separation: { order, scores: new Float64Array(order.length) }, isMember, probabilities }, 4, options)
  }
  assert.equal(excessAt(0.95, 3000), null)
  assert(excessAt(0.4, 60)!.logChance < -5)
})

test('law: the chance of an excess that content and the factor explain is no less than it says', () => {
  const options = { leastTail: 20, growth: 1.5, purity: 0.5, unexplained: 0 }
  const random = sequence(11)
  let alarms = 0
  for (let trial = 0; trial < 400; trial++) {
    const probabilities = Float64Array.from({ length: 200 }, () => 0.05 + 0.9 * random())
    const tripled = probabilities.map((p) => (3 * p) / (1 + 2 * p))
    const isMember = Uint8Array.from(tripled, (p) => (random() < p ? 1 : 0))
    const order = Int32Array.from(probabilities.keys())
    const excess = strongestExcess({ separation: { order, scores: new Float64Array(order.length) }, isMember, probabilities }, 3, options)
    if (excess !== null && excess.logChance < Math.log(0.05)) alarms++
  }
  assert(alarms <= 20, `${alarms} of 400 trials at 5 %`)
})
