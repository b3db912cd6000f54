/**
 * Which embeddings there are. An index is cut into shards of samples once (`EmbeddingPlan`), and each shard is an artifact in the blocks
 * (`EmbeddingShard`). The order of writes: the artifact's blocks durable → pinned → the row. So whoever sees a row may count on its
 * vectors, and a worker that dies loses the shards it was at and no other.
 */
import { sql } from 'kysely'
import { CID } from '../core/cid.ts'
import type { Database } from './database.ts'

/** Vectors of an index: `model` is the digest (64 hexadecimal digits) of all that decides a vector besides the text. */
export interface EmbeddingKey {
  index: CID
  model: string
}

export interface EmbeddingPlan extends EmbeddingKey {
  /** The column whose texts or images are embedded; null where there is none, and then no samples either. */
  textColumn: string | null
  /** Samples to be embedded: all of the index or none. */
  sampleCount: number
  /** Samples of each shard but the last. */
  shardSamples: number
  /** Indices with some of the same samples, embedded from the same column. */
  sources: CID[]
  /** File of the samples' places in `sources`; null where there are none. */
  origins: CID | null
}

export interface EmbeddingShard {
  firstSample: number
  sampleCount: number
  /** UnixFS root of the artifact. */
  cid: CID
  /** Samples whose vectors were taken over from a source. */
  copiedSamples: number
}

/** Records a plan. Another's that came first stays. */
export async function saveEmbeddingPlan(db: Database, plan: EmbeddingPlan): Promise<void> {
  await db
    .insertInto('embeddings')
    .values({
      index_cid: plan.index.toString(),
      model: plan.model,
      text_column: plan.textColumn,
      sample_count: plan.sampleCount,
      shard_samples: plan.shardSamples,
      source_cids: plan.sources.map(String),
      origins_cid: plan.origins?.toString() ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Null where the index is not planned yet. */
export async function findEmbeddingPlan(db: Database, { index, model }: EmbeddingKey): Promise<EmbeddingPlan | null> {
  const row = await db
    .selectFrom('embeddings')
    .selectAll()
    .where('index_cid', '=', index.toString())
    .where('model', '=', model)
    .executeTakeFirst()
  if (row === undefined) return null
  return {
    index,
    model,
    textColumn: row.text_column,
    sampleCount: row.sample_count,
    shardSamples: row.shard_samples,
    sources: row.source_cids.map((cid) => CID.parse(cid)),
    origins: row.origins_cid === null ? null : CID.parse(row.origins_cid),
  }
}

/** Records a shard, whose blocks are pinned already. Another's that came first stays. */
export async function saveEmbeddingShard(db: Database, { index, model }: EmbeddingKey, shard: EmbeddingShard): Promise<void> {
  await db
    .insertInto('embedding_shards')
    .values({
      index_cid: index.toString(),
      model,
      first_sample: shard.firstSample,
      sample_count: shard.sampleCount,
      cid: shard.cid.toString(),
      copied_samples: shard.copiedSamples,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The shards that are there and hold some of the samples `from` … `to` − 1, in the order of their samples. */
export async function embeddingShards(db: Database, { index, model }: EmbeddingKey, from = 0, to = Infinity): Promise<EmbeddingShard[]> {
  let query = db
    .selectFrom('embedding_shards')
    .selectAll()
    .where('index_cid', '=', index.toString())
    .where('model', '=', model)
    .where(sql<boolean>`first_sample + sample_count > ${from}`)
    .orderBy('first_sample')
  if (to !== Infinity) query = query.where('first_sample', '<', to)
  return (await query.execute()).map((row) => ({
    firstSample: row.first_sample,
    sampleCount: row.sample_count,
    cid: CID.parse(row.cid),
    copiedSamples: row.copied_samples,
  }))
}

/** How many samples of an index are in shards that are there. */
export async function embeddedSamples(db: Database, { index, model }: EmbeddingKey): Promise<number> {
  const { samples } = await db
    .selectFrom('embedding_shards')
    .select(sql<number>`coalesce(sum(sample_count), 0)::bigint`.as('samples'))
    .where('index_cid', '=', index.toString())
    .where('model', '=', model)
    .executeTakeFirstOrThrow()
  return samples
}

/** Other indices whose texts of that column are embedded or being so: of the same data set first, then the newest first. */
export async function relatedIndices(
  db: Database,
  { index, model, textColumn, limit }: EmbeddingKey & { textColumn: string; limit: number },
): Promise<CID[]> {
  const { rows } = await sql<{ index_cid: string }>`
    select e.index_cid from embeddings e join versions v using (index_cid)
    where e.model = ${model} and e.text_column = ${textColumn} and e.index_cid <> ${index.toString()}
    order by v.dataset_id = (select dataset_id from versions where index_cid = ${index.toString()}) desc, e.created_at desc, e.index_cid
    limit ${limit}`.execute(db)
  return rows.map((row) => CID.parse(row.index_cid))
}
