/** `assay provenance`: a version with what it is made of and who answers for it, in a form that other programs read. */
import type { CID } from '../../core/cid.ts'
import { croissantOf, encodeCroissant } from '../../core/croissant/croissant.ts'
import type { Signed } from '../../core/croissant/provenance.ts'
import type { SignedKind } from '../../core/statement.ts'
import { parseExport } from '../../core/hub/exportDocument.ts'
import { parseKey } from '../../core/log/noteKey.ts'
import { Problem } from '../../core/problem.ts'
import { verifyDocument } from '../../core/statement.ts'
import { registrySource } from '../client/auditSource.ts'
import { loadDocument, registryBlocks } from '../client/documents.ts'
import type { Registry } from '../client/registry.ts'
import { defineCommand } from '../command.ts'

export const provenance = defineCommand({
  name: 'provenance',
  summary: 'write what a version is made of, and who answers for it, as Croissant 1.1',
  description: [
    'REF is namespace/name (its newest version), namespace/name@NUMBER or the CID of a manifest or index.',
    'The registry gives documents, which are hashed, and signatures, which are verified; the file is written from them on this machine and has',
    'the bytes that the registry gives at /api/datasets/NAMESPACE/NAME/croissant. Places in the log are told as the registry tells them: "assay audit"',
    'proves them.',
  ].join('\n'),
  positionals: ['REF'],
  options: { format: { type: 'text', required: true, choices: ['croissant'], help: 'the form; there are no others yet' } },
  async run({ registry, stdout }, { positionals: [ref] }) {
    stdout.write(encodeCroissant(await describe(registry, ref)))
    return 0
  },
})

async function describe(registry: Registry, ref: string) {
  const [version, service] = [await registry.version(ref), await registry.service()]
  const manifest = await signed(registry, 'manifest', version.manifest)
  const index = version.index == null ? null : await signed(registry, 'index', version.index)
  const verified = version.export == null ? null : await exportOf(registry, version.export)
  if (index !== null && !index.document.manifest.equals(manifest.cid)) throw notOf('index', index.cid, manifest.cid)
  if (verified !== null && (index === null || !verified.report.document.index.equals(index.cid)))
    throw notOf('report', verified.report.cid, manifest.cid)
  if (verified !== null && !verified.export.document.manifest.equals(manifest.cid)) throw notOf('export', verified.export.cid, manifest.cid)
  return croissantOf({
    registry: { url: service.url, logOrigin: parseKey(service.logVkey).name },
    number: version.number,
    manifest,
    index,
    verified,
  })
}

function notOf(what: string, cid: CID, manifest: CID): Problem {
  return new Problem('untrusted', `the ${what} ${cid.toString()} that the registry names is not of the manifest ${manifest.toString()}`)
}

async function exportOf(registry: Registry, cid: CID) {
  const document = parseExport(await registryBlocks(registry)(cid))
  return { report: await signed(registry, 'report', document.subject), export: { cid, document } }
}

/** A document with the signatures over it, each verified. Throws `untrusted` where there is none. */
async function signed<K extends SignedKind>(registry: Registry, kind: K, cid: CID): Promise<Signed<K>> {
  const encoded = await loadDocument(registry, kind, cid)
  const envelopes = await registrySource(registry).envelopes(cid)
  if (envelopes.length === 0) throw new Problem('untrusted', `nobody has signed the ${kind} ${cid.toString()}`)
  const signatures = envelopes.map(({ envelope, logIndex }) => ({ ...verifyDocument(kind, encoded.bytes, envelope), logIndex }))
  return { ...encoded, signatures }
}
