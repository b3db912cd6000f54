/** `assay status`: where a version stands. */
import { defineCommand } from '../command.ts'
import { describeVersion, versionValue } from '../versionText.ts'
import { waitForVerdict } from '../waiting.ts'

export const status = defineCommand({
  name: 'status',
  summary: 'show where a version stands',
  description: 'REF is namespace/name (its newest version), namespace/name@NUMBER or the CID of a manifest.',
  positionals: ['REF'],
  options: { wait: { type: 'flag', help: 'wait until the version is verified or has failed' } },
  async run(context, { positionals: [ref], options }) {
    const version = options.wait ? await waitForVerdict(context, ref) : await context.registry.version(ref)
    context.output.result(versionValue(version), describeVersion(version))
    return version.state === 'failed' ? 1 : 0
  },
})
