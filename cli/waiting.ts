/** Waits for the registry's workers, and says which stage a version has reached. */
import type { Version } from './client/registry.ts'
import type { CommandContext } from './command.ts'
import { describeProgress } from './versionText.ts'

const POLL_MS = 500

/** Resolves when the version is verified or has failed. */
export function waitForVerdict(context: CommandContext, ref: string): Promise<Version> {
  return waitForVersion(context, ref, ({ state }) => state === 'verified')
}

/** Resolves when the version is as far as one waits for, or has failed. */
export async function waitForVersion(
  { registry, output, delay, signal }: CommandContext,
  ref: string,
  isThere: (version: Version) => boolean,
): Promise<Version> {
  const progress = output.progress('working', 'rows')
  let state: string | null = null
  for (;;) {
    const version = await registry.version(ref)
    if (version.state !== state) {
      progress.end()
      output.say(`${version.state}${version.progress == null ? '' : ` (${describeProgress(version.progress)})`}`)
      state = version.state
    }
    if (version.progress != null) progress.update(version.progress.done, version.progress.total ?? undefined)
    if (version.state === 'failed' || isThere(version)) {
      progress.end()
      return version
    }
    await delay(POLL_MS, signal)
  }
}
