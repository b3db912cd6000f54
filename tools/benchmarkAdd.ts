/** `assay benchmark add INDEX --name NAME`: from the node's next start on, data sets are compared with the samples of this index. */
import { parseCid } from '../core/cid.ts'
import { parseDocument } from '../core/documents/document.ts'
import { Problem } from '../core/problem.ts'
import { benchmarkSettings } from '../verifier/contamination/settings.ts'
import { gatewayBlocks } from './gatewayBlocks.ts'
import { parseWords, type Tool } from './tool.ts'

export const benchmarkAdd: Tool = {
  name: 'benchmark add',
  async run({ settings, result, signal }, words) {
    const { values, positionals } = parseWords(words, { name: { type: 'string' }, gateway: { type: 'string' } })
    const gateway = values.gateway ?? settings.gateway
    const { name } = values
    if (positionals[0] === undefined || name === undefined || gateway === undefined)
      throw new Problem('invalid-request', 'benchmark add takes the CID of an index, --name, and --gateway or ASSAY_GATEWAY')
    const index = parseCid(positionals[0])
    const { sampleCount } = parseDocument('index', await gatewayBlocks(gateway)(index, signal)).document
    await benchmarkSettings.add(settings.benchmarks, { name, index, sampleCount })
    result(
      { name, index: index.toString(), sampleCount, settings: settings.benchmarks },
      `${name} (items: ${sampleCount}) is noted in ${settings.benchmarks}\nThe node compares data sets with it from its next start on.`,
    )
    return 0
  },
}
