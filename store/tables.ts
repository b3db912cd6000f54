/** The rows of Postgres, as `migrations/` makes them. CIDs are text, digests and blobs `bytea`. */
import type { Generated, JSONColumnType } from 'kysely'
import type { DocumentKind } from '../core/documents/document.ts'
import type { Report } from '../core/documents/report.ts'
import type { Run } from '../core/documents/run.ts'
import type { JobKind, Progress } from './jobs.ts'

export interface Tables {
  tokens: { hash: Uint8Array; account: string; scopes: string[]; created_at: Generated<Date>; revoked_at: Date | null }
  namespaces: { key: string; owner: string }
  datasets: { id: Generated<number>; key: string; namespace: string; name: string; owner: string; created_at: Generated<Date> }
  versions: {
    manifest_cid: string
    dataset_id: number
    number: number
    state: 'pinned' | 'indexed' | 'verified' | 'failed'
    failure: string | null
    index_cid: string | null
    created_at: Generated<Date>
  }
  files: { cid: string; size_bytes: number; sha256: Uint8Array; created_at: Generated<Date> }
  documents: { cid: string; kind: DocumentKind; created_at: Generated<Date> }
  attestations: {
    id: Generated<number>
    envelope_cid: string
    document_cid: string
    kind: DocumentKind
    author: string
    created_at: Date
    log_index: number | null
    tree_root: Uint8Array | null
    tree_size: number | null
  }
  reports: {
    report_cid: string
    index_cid: string
    manifest_cid: string
    recipe_cid: string
    verdict: Report['verdict']
    created_at: Generated<Date>
  }
  selections: { cid: string; index_cid: string; policy: string; selected_count: number; created_at: Generated<Date> }
  runs: { cid: string; name: string; author: string; status: Run['status']; started_cid: string | null; created_at: Date }
  run_selections: { run_cid: string; position: number; selection_cid: string; index_cid: string }
  jobs: {
    id: Generated<number>
    kind: JobKind
    key: string
    subject: string
    state: 'ready' | 'running' | 'done' | 'quarantined'
    /** Claims, those that were lost included. */
    attempts: Generated<number>
    /** Claims that ended in an error. */
    faults: Generated<number>
    run_at: Generated<Date>
    leased_until: Date | null
    worker: string | null
    error: string | null
    progress: JSONColumnType<Progress> | null
    created_at: Generated<Date>
    finished_at: Date | null
  }
  embeddings: {
    index_cid: string
    model: string
    text_column: string | null
    sample_count: number
    shard_samples: number
    source_cids: string[]
    origins_cid: string | null
    created_at: Generated<Date>
  }
  embedding_shards: {
    index_cid: string
    model: string
    first_sample: number
    sample_count: number
    cid: string
    copied_samples: number
    created_at: Generated<Date>
  }
  exports: { commit_id: string; subject_cid: string; manifest_cid: string; export_cid: string; created_at: Generated<Date> }
  export_requests: { subject_cid: string; created_at: Generated<Date> }
  log_state: {
    id: Generated<number>
    origin: string
    size: number
    root_hash: Uint8Array
    checkpoint: Uint8Array
    published_size: number | null
    published_root_hash: Uint8Array | null
    published_checkpoint: Uint8Array | null
  }
  log_entries: { index: number; entry: Uint8Array }
  log_tiles: { level: number; index: number; width: number; bytes: Uint8Array }
  datastore: { key: string; value: Uint8Array }
}
