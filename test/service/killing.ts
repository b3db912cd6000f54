/** A service that is killed with SIGKILL at random moments while clients use it, and started again. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../store/database.ts'
import { endNode, type NodeProcess } from '../support/node.ts'
import { isExported } from './acknowledged.ts'
import type { Contributors } from './contributors.ts'
import { addressOf, logVkeyOf } from './nodes.ts'
import type { Random } from './random.ts'
import { until } from './until.ts'

/** What the service is at when it is killed, one after the other; the kill comes at most so many milliseconds after that has begun. */
const MOMENTS = { start: 1500, publish: 200, index: 50, verify: 300, log: 200 }
type Moment = keyof typeof MOMENTS

export interface Service {
  start(): NodeProcess
  /** Connects to its database while it runs. */
  connect(): Promise<Database>
  /** Called when it was killed and is to be started again. */
  afterKill(): Promise<void>
}

export interface Killing {
  t: TestContext
  kills: number
  random: Random
  contributors: Contributors
  /** Called in each life before the contributors work, and once more when all their work is done. */
  check: (db: Database, logVkey: string) => Promise<void>
}

/** Kills the service `kills` times, then lets it finish what it has to do. Returns the node, which still runs. */
export async function killAgainAndAgain(service: Service, { t, kills, random, contributors, check }: Killing): Promise<NodeProcess> {
  const hits = new Map<string, number>()
  const hit = (what: string) => hits.set(what, (hits.get(what) ?? 0) + 1)

  async function killAtStart(): Promise<void> {
    const node = service.start()
    await delay(random.next() * MOMENTS.start)
    await endNode(node, 'SIGKILL')
    assert.doesNotMatch(node.output(), FAULT)
  }

  async function killAtWork(moment: Exclude<Moment, 'start'>): Promise<void> {
    const node = service.start()
    const logVkey = await logVkeyOf(await addressOf(node))
    await using db = await service.connect()
    await check(db, logVkey)
    const leave = new AbortController()
    const working = contributors.work(leave.signal)
    await until(`a moment to kill the service at ${moment}`, () => isAt(moment, db, contributors))
    await delay(random.next() * MOMENTS[moment])
    if (contributors.busy() > 0) hit('publish')
    await endNode(node, 'SIGKILL')
    leave.abort()
    await working
    for (const { kind } of await runningJobs(db, `%:${node.child.pid}`)) hit(kind)
    if (await hasUnlogged(db)) hit('log')
    assert.doesNotMatch(node.output(), FAULT)
  }

  const moments = Object.keys(MOMENTS) as Moment[]
  for (let kill = 0; kill < kills; kill++) {
    const moment = moments[kill % moments.length]!
    await (moment === 'start' ? killAtStart() : killAtWork(moment))
    await service.afterKill()
  }
  t.diagnostic(`kills in the middle of: ${[...hits].map(([what, count]) => `${what} ${count}`).join(', ')}`)
  for (const moment of moments) assert.ok(moment === 'start' || hits.has(moment), `no kill came in the middle of ${moment}`)

  const node = service.start()
  const logVkey = await logVkeyOf(await addressOf(node))
  await using db = await service.connect()
  await until('the end of all work', async () => !(await hasUnfinished(db)) && !(await hasUnlogged(db)))
  assert.doesNotMatch(node.output(), FAULT)
  await check(db, logVkey)
  return node
}

/** What a node has no reason to say while its database lives. */
const FAULT = /assay: (fault|log|indexer|verifier|database|fatal|could not go on)/

/** Whether the service is at it, as its database and its clients see it. */
async function isAt(moment: Exclude<Moment, 'start'>, db: Database, contributors: Contributors): Promise<boolean> {
  if (moment === 'publish') return contributors.busy() > 0
  if (moment === 'log') return hasUnlogged(db)
  return (await runningJobs(db, '%')).some(({ kind }) => kind === moment)
}

function runningJobs(db: Database, worker: string) {
  return db.selectFrom('jobs').select('kind').where('state', '=', 'running').where('worker', 'like', worker).execute()
}

async function hasUnlogged(db: Database): Promise<boolean> {
  return (await db.selectFrom('attestations').select('id').where('log_index', 'is', null).limit(1).execute()).length > 0
}

async function hasUnfinished(db: Database): Promise<boolean> {
  const versions = db.selectFrom('versions').select('number').where('state', 'in', ['pinned', 'indexed']).limit(1)
  const jobs = db.selectFrom('jobs').select('id').where('state', 'in', ['ready', 'running']).limit(1)
  return (await versions.execute()).length > 0 || (await jobs.execute()).length > 0 || !(await isExported(db))
}
