/** `assay model verify [MODEL]`: reads a model's files and checks every digest, and derives its graphs anew. */
import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { readFile } from 'node:fs/promises'
import { encodeModel } from '../core/models.ts'
import { deriveGraph } from '../verifier/embedding/derive.ts'
import { describeFile } from '../verifier/embedding/describeModel.ts'
import { ensureModel } from '../verifier/embedding/modelCache.ts'
import { findModel } from '../verifier/embedding/modelRegistry.ts'
import { parseWords, type Tool } from './tool.ts'

interface Check {
  name: string
  passed: boolean
  detail: string
}

export const modelVerify: Tool = {
  name: 'model verify',
  async run({ settings, result, signal }, words) {
    const { positionals } = parseWords(words, {})
    const manifest = await findModel(positionals[0] ?? 'default', settings.modelCache)
    const { model } = manifest
    // Only what is here is verified: no source is asked.
    const local = await ensureModel({ model, sources: [] }, { cacheDir: settings.modelCache, signal })
    const checks: Check[] = []
    for (const file of model.files) {
      const path = local.pathOf(file.path)
      const found = await describeFile(dirname(path), path.slice(dirname(path).length + 1))
      checks.push({ name: `sha256 of ${file.path}`, passed: found.sha256 === file.sha256, detail: found.sha256 })
      checks.push({ name: `CID of ${file.path}`, passed: found.cid.equals(file.cid), detail: found.cid.toString() })
    }
    for (const { mode, transform, sha256 } of model.derived) {
      const digest = createHash('sha256')
      for (const piece of await deriveGraph(model, transform, (path) => readFile(local.pathOf(path)))) digest.update(piece)
      const detail = digest.digest('hex')
      checks.push({ name: `graph of ${mode} by ${transform}`, passed: detail === sha256, detail })
    }
    const passed = checks.every((check) => check.passed)
    result(
      { name: model.name, cid: encodeModel(model).cid.toString(), passed, checks },
      checks.map((check) => `${check.passed ? 'passed' : 'FAILED'}  ${check.name}  ${check.detail}`).join('\n'),
    )
    return passed ? 0 : 1
  },
}
