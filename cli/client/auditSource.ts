/** A registry as the source of an audit's evidence. */
import type { AuditSource } from '../../core/audit/source.ts'
import { tilePath } from '../../core/merkle/tiles.ts'
import { Problem } from '../../core/problem.ts'
import { rowFromJsonValue } from '../../core/samples/json.ts'
import type { Registry } from './registry.ts'

export function registrySource(registry: Registry): AuditSource {
  return {
    document: (cid) => registry.document(cid),
    async envelopes(document) {
      const attestations = await registry.attestations(document)
      return Promise.all(attestations.map(async ({ envelope, logIndex }) => ({ envelope: await registry.block(envelope), logIndex })))
    },
    block: (cid) => registry.block(cid),
    checkpoint: () => registry.checkpoint(),
    logTile: (level, index, width) => registry.logTile(tilePath(level, index, width)),
    async row(index, sampleNumber) {
      const page = await registry.samples(index.document.manifest.toString(), { offset: sampleNumber, limit: 1 })
      const sample = page.samples[0]
      if (sample?.number !== sampleNumber) throw new Problem('not-found', `the registry gives no sample ${sampleNumber}`)
      return rowFromJsonValue(index.document.schema, sample.row)
    },
  }
}
