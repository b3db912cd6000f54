/** Clients that go on publishing and uploading while their registry comes and goes, and note what it acknowledged. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type TestFile, testFile } from '../api/registry.ts'
import { testSigner } from '../support/documents.ts'
import { assay } from '../support/node.ts'
import { type Client, connect } from './client.ts'
import { type Contribution, randomBytes, writeContribution } from './contributions.ts'
import type { Acknowledged } from './acknowledged.ts'
import { createRandom, type Random } from './random.ts'

export interface ContributorOptions {
  /** Of the registry. */
  server: string
  /** For their homes and their data. */
  dir: string
  seed: number
  acknowledged: Acknowledged
}

export interface Contributors {
  /** Every data set that they have tried to publish, by name. */
  readonly contributions: ReadonlyMap<string, Contribution>
  /** Publications and uploads that are under way. */
  busy(): number
  /**
   * Work until the signal aborts; what was not acknowledged by then is done again the next time. Throws when the registry answers with
   * anything but success; that it does not answer is no surprise.
   */
  work(signal: AbortSignal): Promise<void>
}

const PUBLISHERS = 3

export async function createContributors(options: ContributorOptions): Promise<Contributors> {
  const contributions = new Map<string, Contribution>()
  let begun = 0
  let busy = 0
  async function counted<T>(action: Promise<T>): Promise<T> {
    busy++
    return action.finally(() => busy--)
  }
  async function nextContribution(namespace: string, random: Random): Promise<Contribution> {
    const contribution = await writeContribution(options.dir, namespace, begun++, random)
    contributions.set(contribution.name, contribution)
    return contribution
  }
  const lanes = [
    createUploader(options, counted),
    ...(await Promise.all(Array.from({ length: PUBLISHERS }, (_, lane) => createPublisher(lane, options, counted, nextContribution)))),
  ]
  return {
    contributions,
    busy: () => busy,
    async work(signal) {
      await Promise.all(lanes.map((lane) => lane(signal)))
    },
  }
}

type Lane = (signal: AbortSignal) => Promise<void>
type Counted = <T>(action: Promise<T>) => Promise<T>

const RETRY_MS = 20

/** Publishes data set after data set by the CLI, and mostly waits for the verdict before the next. */
async function createPublisher(
  lane: number,
  { server, dir, seed, acknowledged }: ContributorOptions,
  counted: Counted,
  nextContribution: (namespace: string, random: Random) => Promise<Contribution>,
): Promise<Lane> {
  const random = createRandom(seed + lane)
  const home = join(dir, `home${lane}`)
  const { code, errors } = await assay(['keygen'], { home, server })
  if (code !== 0) throw new Error(errors)
  let current: Contribution | null = null
  let published = false

  async function publish({ path, name }: Contribution, signal: AbortSignal): Promise<boolean> {
    const outcome = await counted(assay(['publish', path, name, '--license', 'CC0-1.0'], { home, server, signal }))
    const version = outcome.json as { manifest?: string; number: number } | null
    if (version?.manifest === undefined) return excuse(outcome, signal)
    acknowledged.versions.set(version.manifest, { name, number: version.number })
    return true
  }

  return async (signal) => {
    while (!signal.aborted) {
      if (current === null) {
        current = await nextContribution(`lane${lane}`, random)
        published = false
      }
      published ||= await publish(current, signal)
      if (!published) await delay(RETRY_MS)
      else if (random.chance(0.3) || (await waitForVerdict(current.name, { home, server, signal }))) current = null
    }
  }
}

async function waitForVerdict(name: string, client: { home: string; server: string; signal: AbortSignal }): Promise<boolean> {
  const outcome = await assay(['status', name, '--wait'], client)
  return outcome.code <= 1 || excuse(outcome, client.signal)
}

/** False for a command that was stopped or that nobody answered. Throws for any other failure. */
function excuse({ code, errors }: { code: number; errors: string }, signal: AbortSignal): false {
  const excused = (code === 130 && signal.aborted) || (code === 2 && /does not answer|broke in the middle|cannot be reached/.test(errors))
  if (!excused) throw new Error(`a command ended with ${code}: ${errors}`)
  return false
}

/** Files of a life of the registry, so that their number stays small. */
const UPLOADS = 2

/** Uploads files that belong to no data set, of up to four blocks; each until it is acknowledged. */
function createUploader({ server, seed, acknowledged }: ContributorOptions, counted: Counted): Lane {
  const random = createRandom(seed + PUBLISHERS)
  let client: Client | null = null
  let file = nextFile(random)
  return async (signal) => {
    for (let count = 0; count < UPLOADS && !signal.aborted;) {
      try {
        client ??= await connect(server, testSigner(7))
        const response = await counted(client.upload(file.cid, file.bytes, signal))
        if (!response.ok) throw new Error(`an upload was answered with ${response.status}: ${await response.text()}`)
        acknowledged.uploads.set(file.cid.toString(), { sizeBytes: file.bytes.length, sha256: file.sha256 })
        file = nextFile(random)
        count++
      } catch (error) {
        if (!(error instanceof TypeError) && !signal.aborted) throw error // fetch throws a TypeError when the connection breaks
        await delay(RETRY_MS)
      }
    }
  }
}

function nextFile(random: Random): TestFile {
  return testFile('file', randomBytes(1 + random.below(random.chance(0.25) ? 3 * 2 ** 20 : 200_000), random))
}
