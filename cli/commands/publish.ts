/** `assay publish`: the contributor's command. */
import { Problem } from '../../core/problem.ts'
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'
import { type Description, publishPath } from '../publication.ts'
import { describeVersion, versionValue } from '../versionText.ts'
import { waitForVerdict } from '../waiting.ts'

export const publish = defineCommand({
  name: 'publish',
  summary: 'publish a file or a folder as the next version of a data set',
  description: [
    'Files are hashed here first; only those that the registry lacks are sent, so that a repeated publish continues where one stopped.',
    'Names that begin with a dot are left out. Symbolic links are refused. Nothing is published when a file changes while it is read.',
  ].join('\n'),
  positionals: ['PATH', 'NS/NAME'],
  options: {
    license: { type: 'text', value: 'SPDX', required: true, help: 'the licence of the data, an SPDX expression' },
    check: { type: 'flag', help: 'look at it here first ("assay check --no-model"), and publish only where nothing is flagged' },
    wait: { type: 'flag', help: 'wait until the version is indexed and verified' },
    title: { type: 'text', value: 'TEXT', help: 'a title for people' },
    description: { type: 'text', value: 'TEXT', help: 'what it is, in any length' },
    language: { type: 'text', value: 'TAG', help: 'BCP 47 tag of the samples’ language' },
    domain: { type: 'text', value: 'WORD', help: 'kind of text: news, forum, e-mail …' },
    'text-column': { type: 'text', value: 'NAME', help: 'the column that detectors read' },
    'label-column': { type: 'text', value: 'NAME', help: 'the column with the label' },
    'text-unit': { type: 'text', choices: ['line', 'paragraph'], help: 'what a sample is in plain-text files' },
    synthetic: { type: 'text', choices: ['none', 'some', 'all', 'unknown'], default: 'unknown', help: 'how much of it models wrote' },
    generator: { type: 'list', value: 'NAME', help: 'a model that wrote some of it' },
    source: { type: 'list', value: 'NAME[=URL]', help: 'where the data comes from' },
    consent: { type: 'text', value: 'TEXT', help: 'how the people in the data agreed' },
  },
  async run(context, { positionals: [path, name], options }) {
    const columns = compact({ text: options['text-column'], label: options['label-column'] })
    const description: Description = {
      name: name.normalize('NFC'),
      license: options.license,
      sources: options.source.map(parseSource),
      synthetic: { share: options.synthetic, generators: options.generator },
      ...compact({
        title: options.title,
        description: options.description,
        language: options.language,
        domain: options.domain,
        consent: options.consent,
        textUnit: options['text-unit'],
        columns: Object.keys(columns).length === 0 ? undefined : columns,
      }),
    }
    if (options.check) await checkFirst(context.signal, path, options)
    const { manifest, number, created } = await publishPath(context, path, description)
    if (created) context.output.say(`published ${name}@${number}: manifest ${manifest.cid.toString()}`)
    const ref = manifest.cid.toString()
    const version = options.wait ? await waitForVerdict(context, ref) : await context.registry.version(ref)
    context.output.result(versionValue(version), describeVersion(version))
    return version.state === 'failed' ? 1 : 0
  },
})

/** Throws `invalid-request` where something is flagged, personal data or a secret is found, or the files cannot be indexed. */
async function checkFirst(signal: AbortSignal, path: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const declared = Object.fromEntries(CHECKED_OPTIONS.map((name) => [name, options[name] as string | string[] | undefined])) // as the table says
  const code = await runProgram('tools', ['check', '--no-model', ...optionWords(declared), '--', path], signal, 'stderr')
  signal.throwIfAborted()
  if (code === 1)
    throw new Problem('invalid-request', 'nothing was published: see what was found; without --check it is published all the same')
}

/** What a check is told of the files. */
const CHECKED_OPTIONS = ['text-column', 'label-column', 'text-unit', 'language', 'domain', 'synthetic', 'generator']

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the fields that were not given. */
function compact<T extends Record<string, unknown>>(fields: T): Present<T> {
  // What is left has no undefined value, which is what Present says.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>
}

function parseSource(text: string): { name: string; url?: string } {
  const at = text.indexOf('=')
  if (at === -1) return { name: text }
  const url = text.slice(at + 1)
  if (!URL.canParse(url)) throw new Problem('invalid-request', `--source ${text}: "${url}" is not a URL`)
  return { name: text.slice(0, at), url }
}
