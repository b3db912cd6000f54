/**
 * `assay bench numerics [MODEL]`: how far every device and mode that this machine has lies from the CPU in fp32, on real weights and real
 * texts, and the tolerances that follow.
 */
import { availableParallelism } from 'node:os'
import { readFile } from 'node:fs/promises'
import type { Tolerance } from '../core/documents/recipe.ts'
import { encodeModel, isTextManifest } from '../core/models.ts'
import { Problem } from '../core/problem.ts'
import { probeDevice } from '../verifier/embedding/devices.ts'
import { findModel } from '../verifier/embedding/modelRegistry.ts'
import { npmTarballFiles } from '../verifier/embedding/npmTarball.ts'
import { DEVICES } from '../verifier/embedding/onnxRuntime.ts'
import { type Configuration, describeConfiguration, embedWith } from '../verifier/numerics/configuration.ts'
import { atHalfPrecision, compareVectors, type Differences } from '../verifier/numerics/differences.ts'
import { toleranceFrom } from '../verifier/numerics/tolerance.ts'
import { gatewayBlocks } from './gatewayBlocks.ts'
import { parseWords, type Tool } from './tool.ts'

const DEFAULT_TEXTS = 2000
const DEFAULT_SECONDS = 120
/** English sentences of all kinds, where no texts are given. */
const CORPUS = { package: 'nlp-corpus', version: '4.4.0', path: /^builds\/.*\.json$/ }

interface Comparison {
  configuration: Configuration
  /** As computed, and as stored at half precision. */
  computed: Differences
  stored: Differences
}

export const benchNumerics: Tool = {
  name: 'bench numerics',
  async run({ settings, result, note, signal }, words) {
    const { values, positionals } = parseWords(words, {
      texts: { type: 'string' },
      rows: { type: 'string' },
      seconds: { type: 'string' },
    })
    const manifest = await findModel(positionals[0] ?? 'default', settings.modelCache)
    if (!isTextManifest(manifest)) throw new Problem('unsupported-format', `${manifest.model.name} is no model of texts`)
    const rows = wholeNumber('--rows', values.rows, DEFAULT_TEXTS)
    const texts = (values.texts === undefined ? await corpusTexts(rows, signal) : await fileTexts(values.texts)).slice(0, rows)
    const options = {
      manifest,
      models: {
        cacheDir: settings.modelCache,
        localDir: settings.modelDir,
        hubUrl: settings.modelHub,
        getBlock: settings.gateway === undefined ? undefined : gatewayBlocks(settings.gateway),
      },
      signal,
    }
    const threads = availableParallelism()
    const normative: Configuration = { device: 'cpu', mode: 'fp32', threads, optimization: 'all' }
    note(`${texts.length} texts by ${describeConfiguration(normative)}`)
    const reference = await embedWith(normative, { ...options, texts, budgetMs: Number.POSITIVE_INFINITY })

    const others: Configuration[] = [
      { ...normative, threads: 1 },
      { ...normative, optimization: 'basic' },
      { ...normative, optimization: 'disabled' },
    ]
    const unusable: { device: string; reason: string }[] = []
    for (const device of DEVICES) {
      const state = await probeDevice(device, signal)
      if (!state.usable) {
        unusable.push({ device, reason: state.reason })
        note(`${device} is skipped: ${state.reason}`)
        continue
      }
      for (const { mode } of manifest.model.derived)
        if ((device !== 'cpu' || mode !== 'fp32') && mode !== 'int8' && state.modes.includes(mode))
          others.push({ ...normative, device, mode })
    }

    const budgetMs = wholeNumber('--seconds', values.seconds, DEFAULT_SECONDS) * 1000
    const comparisons: Comparison[] = []
    for (const configuration of others) {
      note(describeConfiguration(configuration))
      const other = await embedWith(configuration, { ...options, texts, budgetMs })
      const same = { dimensions: reference.dimensions, vectors: reference.vectors.subarray(0, other.vectors.length) }
      comparisons.push({
        configuration,
        computed: compareVectors(same, other),
        stored: compareVectors(atHalfPrecision(same), atHalfPrecision(other)),
      })
    }
    const tolerances = tolerancesFrom(comparisons, encodeModel(manifest.model).cid)
    result(
      {
        model: manifest.model.name,
        texts: texts.length,
        comparisons,
        unusable,
        tolerances: tolerances.map(({ model, ...rest }) => ({ model: model.toString(), ...rest })),
      },
      describe(comparisons, tolerances),
    )
    return 0
  },
}

/** One a device and mode: of what was measured with it, the widest. */
function tolerancesFrom(comparisons: readonly Comparison[], model: Tolerance['model']): Tolerance[] {
  const widest = new Map<string, Tolerance>()
  for (const { configuration, stored } of comparisons) {
    const { device, mode } = configuration
    const next = toleranceFrom({ model, device, mode }, stored)
    const known = widest.get(`${device} ${mode}`) ?? next
    widest.set(`${device} ${mode}`, {
      ...known,
      cosineDistanceBillionths: Math.max(known.cosineDistanceBillionths, next.cosineDistanceBillionths),
      similarityBillionths: Math.max(known.similarityBillionths, next.similarityBillionths),
      fingerprintComponents: Math.min(known.fingerprintComponents, next.fingerprintComponents),
    })
  }
  return [...widest.values()]
}

function describe(comparisons: readonly Comparison[], tolerances: readonly Tolerance[]): string {
  const line = (name: string, { rows, identicalRows, component, cosineDistance, similarity, fingerprints }: Differences) =>
    `  ${name}: ${identicalRows} of ${rows} rows identical; 99.99 % of components within ${component.q9999.toExponential(1)}, of rows within 1 − cos ${cosineDistance.q9999.toExponential(1)}, of similarities within ${similarity.q9999.toExponential(1)}; fingerprints share at least ${fingerprints.findIndex((count) => count > 0)} of 8`
  return [
    ...comparisons.flatMap(({ configuration, computed, stored }) => [
      `${describeConfiguration(configuration)}:`,
      line('as computed', computed),
      line('as stored', stored),
    ]),
    'tolerances (verifier/numerics/measured.ts):',
    ...tolerances.map(
      ({ device, mode, cosineDistanceBillionths, similarityBillionths, fingerprintComponents }) =>
        `  ${device} ${mode}: cosineDistanceBillionths ${cosineDistanceBillionths}, similarityBillionths ${similarityBillionths}, fingerprintComponents ${fingerprintComponents}`,
    ),
  ].join('\n')
}

/** A file's texts: of JSON Lines the field `text`, else its lines. */
async function fileTexts(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '')
  if (!path.endsWith('.jsonl')) return lines
  return lines.flatMap((line) => {
    const row: unknown = JSON.parse(line)
    return typeof row === 'object' && row !== null && 'text' in row && typeof row.text === 'string' ? [row.text] : []
  })
}

async function corpusTexts(count: number, signal: AbortSignal): Promise<string[]> {
  const texts: string[] = []
  for await (const { path, content } of npmTarballFiles(CORPUS, { signal })) {
    if (!CORPUS.path.test(path)) continue
    const sentences: unknown = JSON.parse(Buffer.concat(await Array.fromAsync(content)).toString('utf8'))
    if (Array.isArray(sentences)) texts.push(...sentences.filter((one) => typeof one === 'string'))
    if (texts.length >= count) break
  }
  return texts
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Problem('invalid-request', `${name} takes a whole number above 0, not "${text}"`)
  return Number(text)
}
