/** A report made on another device holds when it is computed again on the CPU. `npm run test:gpu`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODEC_DAG_JSON } from '../../core/cid.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { asStored, createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import type { Device } from '../../verifier/embedding/onnxRuntime.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { loadSubject, reverifyReport } from '../../verifier/reverify/reverify.ts'
import { testBlocks } from '../support/blocks.ts'
import { indexOf, manifestOf } from '../verifier/reports.ts'
import { isHardware, wantDevice } from './support.ts'

const quiet = { signal: new AbortController().signal, onProgress: () => {} }
const embedderOn = (device: Device) => createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device })

for (const device of ['webgpu', 'cuda'] as const)
  test(`a report made through ${device} is reverified on the CPU`, async (t) => {
    const state = await wantDevice(t, device)
    if (state === null) return
    await using blocks = await testBlocks()
    const count = isHardware(state) ? 600 : 8
    const rows = Array.from({ length: count }, (_, i) => ({ text: `Visitor ${i} liked the ${['old', 'new', 'small'][i % 3]} museum.` }))
    const manifest = await manifestOf(blocks, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const index = await indexOf(blocks, manifest)
    const there = embedderOn(device)
    const recipe = buildRecipe([there.reference])
    const report = await buildReport({ blocks, index, manifest: manifest.document, recipe, embedder: asStored(there), ...quiet })
    const encoded = encodeDocument('report', report)
    for (const { bytes } of [manifest, index, recipe, encoded]) await blocks.put(CODEC_DAG_JSON, bytes)
    const { checks } = await reverifyReport(await loadSubject(blocks, encoded), { blocks, embedder: embedderOn('cpu'), ...quiet })
    for (const { name, detail, passed } of checks) t.diagnostic(`${passed ? 'passed' : 'FAILED'} ${name}: ${detail}`)
    assert.ok(checks.every(({ passed }) => passed))
  })
