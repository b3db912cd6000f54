/** The log's two loops: appending what was attested, and publishing what witnesses have cosigned. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Sequencer } from './sequencer.ts'

const EVERY_MS = 200
/** While witnesses are out of reach. */
const ASK_AGAIN_MS = 5000

export interface KeepLogOptions {
  /** Whether checkpoints wait for witnesses; else the sequencer publishes as it appends. */
  isWitnessed: boolean
  report: (where: string, error: unknown) => void
  signal: AbortSignal
}

/** Until the signal; a fault is reported and tried again. */
export async function keepLog(sequencer: Sequencer, options: KeepLogOptions): Promise<void> {
  await Promise.all([appending(sequencer, options), ...(options.isWitnessed ? [publishing(sequencer, options)] : [])])
}

async function appending(sequencer: Sequencer, { report, signal }: KeepLogOptions): Promise<void> {
  while (!signal.aborted) {
    await sequencer.appendPending().catch((error: unknown) => report('log', error))
    await pause(EVERY_MS, signal)
  }
}

async function publishing(sequencer: Sequencer, { report, signal }: KeepLogOptions): Promise<void> {
  let said: string | null = null
  while (!signal.aborted) {
    let lacks: string | null = null
    try {
      const publication = await sequencer.publish(signal)
      lacks = publication.lacks
      if (lacks !== null && lacks !== said) {
        const refusals = publication.refusals.map(({ name, reason }) => `; ${name}: ${reason}`).join('')
        report('log', `${publication.logSize} entries, of which ${publication.size} are published: ${lacks}${refusals}`)
      }
    } catch (error) {
      if (!signal.aborted) report('log', error)
    }
    said = lacks
    await pause(lacks === null ? EVERY_MS : ASK_AGAIN_MS, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}
