/** The link graph of a run, walked from what was consumed to who contributed it. Each document stands with its signatures. */
import { z } from 'zod'
import type { CID } from '../core/cid.ts'
import { Count } from '../core/documents/common.ts'
import { Source, SyntheticDeclaration } from '../core/documents/manifest.ts'
import { State } from '../core/documents/report.ts'
import { Consumption } from '../core/documents/run.ts'
import { Policy } from '../core/documents/selection.ts'
import { attestationsOf, loadDocument } from '../store/documents.ts'
import { versionOf } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { AttestationView, CidText, attestationView } from './schemas.ts'

const Attested = z.strictObject({ cid: CidText, attestations: z.array(AttestationView) })

const ConsumedView = Consumption.omit({ selection: true }).extend({
  selection: z.strictObject({ cid: CidText, policy: Policy, sampleCount: Count, selectedCount: Count }),
  reports: z.array(Attested.extend({ recipe: CidText, verdict: State })),
  index: Attested.extend({ sampleTreeRoot: z.string() }),
  manifest: Attested.extend({
    dataset: z.string(),
    number: z.number().int(),
    contributor: z.string().meta({ description: 'did:key' }),
    license: z.string(),
    sources: z.array(Source),
    consent: z.string().nullable(),
    synthetic: SyntheticDeclaration,
  }),
})

export const Provenance = z
  .strictObject({ run: Attested, name: z.string(), author: z.string(), consumed: z.array(ConsumedView) })
  .meta({ id: 'Provenance' })

/** Walks the documents of a run. Throws `block-missing` or `block-corrupt` where one of them is damaged here. */
export async function provenanceOf(ctx: ApiContext, run: CID): Promise<z.infer<typeof Provenance>> {
  const { document } = await loadDocument(ctx.blocks, 'run', run)
  return {
    run: await attested(ctx, run),
    name: document.name,
    author: document.author,
    consumed: await Promise.all(document.consumed.map((consumption) => consumedView(ctx, consumption))),
  }
}

async function consumedView(
  ctx: ApiContext,
  { selection: cid, ...reading }: z.infer<typeof Consumption>,
): Promise<z.infer<typeof ConsumedView>> {
  const { document: selection } = await loadDocument(ctx.blocks, 'selection', cid)
  const { document: index } = await loadDocument(ctx.blocks, 'index', selection.index)
  const { document: manifest } = await loadDocument(ctx.blocks, 'manifest', index.manifest)
  const { dataset, number } = await versionOf(ctx.db, index.manifest)
  const { policy, sampleCount, selectedCount } = selection
  return {
    ...reading,
    selection: { cid: cid.toString(), policy, sampleCount, selectedCount },
    reports: await Promise.all(selection.reports.map((report) => reportView(ctx, report))),
    index: { ...(await attested(ctx, selection.index)), sampleTreeRoot: index.tree.rootHash },
    manifest: {
      ...(await attested(ctx, index.manifest)),
      dataset,
      number,
      contributor: manifest.author,
      license: manifest.license,
      sources: manifest.sources,
      consent: manifest.consent ?? null,
      synthetic: manifest.synthetic,
    },
  }
}

async function reportView(ctx: ApiContext, cid: CID): Promise<z.infer<typeof ConsumedView>['reports'][number]> {
  const { document } = await loadDocument(ctx.blocks, 'report', cid)
  return { ...(await attested(ctx, cid)), recipe: document.recipe.toString(), verdict: document.verdict }
}

async function attested(ctx: ApiContext, cid: CID): Promise<z.infer<typeof Attested>> {
  return { cid: cid.toString(), attestations: (await attestationsOf(ctx.db, cid)).map(attestationView) }
}
