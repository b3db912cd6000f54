/** Everything that a request can leave behind in a registry: its block files and its rows. */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type CID, CODEC_DAG_JSON } from '../../core/cid.ts'
import { walkDag } from '../../core/unixfs/reader.ts'
import { BlockFiles } from '../../store/blockFiles.ts'
import type { Database } from '../../store/database.ts'

export interface Traces {
  /** Names of the block files. */
  blocks: string[]
  /** Names of the files of imports that are under way. */
  staged: string[]
  files: string[]
  pins: string[]
  datasets: string[]
  versions: { manifest_cid: string; state: string; index_cid: string | null }[]
  documents: string[]
  attestations: string[]
  reports: string[]
  runs: string[]
  jobs: { kind: string; subject: string; state: string }[]
}

export async function tracesIn(db: Database, blocksDir: string): Promise<Traces> {
  const namesIn = async (folder: string) => {
    const entries = await readdir(join(blocksDir, folder), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort() // prettier-ignore
  }
  const column = async <T extends string>(rows: Promise<{ [K in T]: string }[]>, name: T) => (await rows).map((row) => row[name])
  return {
    blocks: await namesIn('blocks'),
    staged: await namesIn('staging'),
    files: await column(db.selectFrom('files').select('cid').orderBy('cid').execute(), 'cid'),
    pins: await column(db.selectFrom('datastore').select('key').orderBy('key').execute(), 'key'),
    datasets: await column(db.selectFrom('datasets').select('key').orderBy('key').execute(), 'key'),
    versions: await db.selectFrom('versions').select(['manifest_cid', 'state', 'index_cid']).orderBy('manifest_cid').execute(),
    documents: await column(db.selectFrom('documents').select('cid').orderBy('cid').execute(), 'cid'),
    attestations: await column(db.selectFrom('attestations').select('envelope_cid').orderBy('envelope_cid').execute(), 'envelope_cid'),
    reports: await column(db.selectFrom('reports').select('report_cid').orderBy('report_cid').execute(), 'report_cid'),
    runs: await column(db.selectFrom('runs').select('cid').orderBy('cid').execute(), 'cid'),
    jobs: await db.selectFrom('jobs').select(['kind', 'subject', 'state']).orderBy('id').execute(),
  }
}

/** The names of the files of all blocks under these roots, in order, each once. */
export async function blockNamesUnder(blocksDir: string, roots: readonly CID[]): Promise<string[]> {
  const store = await BlockFiles.open(blocksDir)
  const names = new Set<string>()
  const getBlock = async (cid: CID) => {
    const bytes = await store.read(cid)
    if (bytes === null) throw new Error(`the block ${cid.toString()} is missing`)
    return bytes
  }
  for (const root of roots) {
    names.add(basename(store.pathOf(root)))
    if (root.code === CODEC_DAG_JSON) continue // a document: what it links to is not a part of it
    for await (const { cid } of walkDag(getBlock, root)) names.add(basename(store.pathOf(cid)))
  }
  return [...names].sort()
}
