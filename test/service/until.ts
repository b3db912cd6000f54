/** Waiting for a condition, never for a time. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 5

/** Asks until the answer is neither false, null nor undefined, and returns it. Throws when it still is after `deadlineMs`. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { deadlineMs = 120_000, pollMs = POLL_MS }: { deadlineMs?: number; pollMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<Exclude<T, false>>
    if (performance.now() > deadline) throw new Error(`${what} did not come about within ${deadlineMs / 1000} s`)
    await delay(pollMs)
  }
}
