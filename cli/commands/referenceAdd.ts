/** `assay reference add`: names human texts that data sets of the same language and kind are compared with. */
import { fileURLToPath } from 'node:url'
import { Problem } from '../../core/problem.ts'
import type { Version } from '../client/registry.ts'
import { type CommandContext, defineCommand, type ExitCode } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'
import { publishPath } from '../publication.ts'
import { folderOf, SHIPPED, type ShippedReference } from '../references/shipped.ts'
import { waitForVersion } from '../waiting.ts'

const DEFAULT = 'default'

export const referenceAdd = defineCommand({
  name: 'reference add',
  summary: 'compare data sets with human texts of their language and kind, which are a data set of the registry',
  description: [
    'REF is an indexed version with texts that people wrote. A cell is a language and a kind of text as manifests declare them; a data set is compared with the cell of its own declaration, and where there is none, reports say so.',
    `REF "${DEFAULT}" publishes the texts that ship with Assay under your name and adds them: ${SHIPPED.map(cellOf).join(', ')}.`,
    'What is added is noted in the file that the node reads as it starts (ASSAY_REFERENCES, else references.json in ASSAY_DATA, else in ./data), and named in the recipe by the CID of its index: all versions are verified again under that recipe. All workers of an installation need the same file.',
  ].join('\n'),
  positionals: ['REF'],
  options: {
    cell: {
      type: 'text',
      value: 'LANG/DOMAIN',
      help: 'what they are references for, such as en/news (default: what their manifest declares)',
    },
    replace: { type: 'flag', help: 'take the place of the texts that the cell has' },
    namespace: { type: 'text', value: 'NS', default: 'references', help: `where "${DEFAULT}" is published` },
  },
  async run(context, { positionals: [ref], options: { cell, replace, namespace } }) {
    if (ref !== DEFAULT) return note(context, await context.registry.version(ref), { cell, replace })
    if (cell !== undefined)
      throw new Problem('invalid-request', `the texts that ship have cells of their own: ${SHIPPED.map(cellOf).join(', ')}`)
    for (const shipped of SHIPPED) {
      const version = await publishShipped(context, shipped, namespace)
      const code = await note(context, version, { cell: cellOf(shipped), replace })
      if (code !== 0) return code
    }
    return 0
  },
})

function cellOf({ description: { language, domain } }: ShippedReference): string {
  return `${language}/${domain}`
}

/** Publishes texts that ship, unless they are published already, and waits until they are indexed. */
async function publishShipped(context: CommandContext, shipped: ShippedReference, namespace: string): Promise<Version> {
  const { output } = context
  const name = `${namespace}/${shipped.folder}`
  const { manifest, number, created } = await publishPath(context, fileURLToPath(folderOf(shipped)), { ...shipped.description, name })
  if (created) output.say(`published ${name}@${number}: manifest ${manifest.cid.toString()}`)
  return waitForVersion(context, manifest.cid.toString(), ({ index }) => index !== null && index !== undefined)
}

async function note(
  { registry, output: { json }, signal }: CommandContext,
  { dataset, number, index }: Version,
  options: { cell: string | undefined; replace: boolean },
): Promise<ExitCode> {
  const name = `${dataset}@${number}`
  if (index === null || index === undefined) throw new Problem('not-ready', `${name} is not indexed; "assay status ${name}" tells why`)
  const words = optionWords({ ...options, gateway: registry.server.toString(), json })
  return runProgram('tools', ['reference', 'add', index.toString(), ...words], signal)
}
