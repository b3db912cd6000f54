/** `assay select`: the samples of a version that pass a policy. */
import { type Policy, POLICIES } from '../../core/documents/selection.ts'
import { FLAGS, type FlagName } from '../../core/findings.ts'
import { Problem } from '../../core/problem.ts'
import { indexOf, loadDocument } from '../client/documents.ts'
import { defineCommand } from '../command.ts'

export const select = defineCommand({
  name: 'select',
  summary: 'select the samples of a version that pass a policy',
  description: [
    'Policies: verified (no duplicates, hidden content or trigger), strict (no flag of the five properties), as-published (everything).',
    'Anyone who computes a selection gets the same CID; "assay audit" computes it anew.',
  ].join('\n'),
  positionals: ['REF'],
  options: {
    policy: { type: 'text', choices: ['verified', 'strict', 'as-published'], default: 'verified', help: 'the policy' },
    exclude: { type: 'list', value: 'FLAG', help: 'a policy of your own instead: leave out what has this flag' },
  },
  async run({ registry, output }, { positionals: [ref], options }) {
    const index = indexOf(await registry.version(ref))
    const policy = options.exclude.length === 0 ? POLICIES[options.policy] : customPolicy(options.exclude)
    const { selection } = await registry.select(index.toString(), policy)
    const { document } = await loadDocument(registry, 'selection', selection)
    if (!document.index.equals(index)) throw new Problem('untrusted', 'the registry gave a selection of another index')
    const { selectedCount, sampleCount, reports } = document
    output.result(
      {
        selection: selection.toString(),
        index: index.toString(),
        policy: document.policy,
        selectedCount,
        sampleCount,
        reports: reports.map(String),
      },
      `${selection.toString()}\n${selectedCount} of ${sampleCount} samples pass "${document.policy.name}"`,
    )
    return 0
  },
})

function customPolicy(names: readonly string[]): Policy {
  const exclude = [...new Set(names)].sort().map((name): FlagName => {
    const flag = FLAGS.find((candidate) => candidate === name)
    if (flag === undefined) throw new Problem('invalid-request', `--exclude ${name}: the flags are ${FLAGS.join(', ')}`)
    return flag
  })
  return { name: 'custom', exclude }
}
