/** `assay check`: what a verifier would find in files on this disk. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const check = defineCommand({
  name: 'check',
  summary: 'verify a file or a folder here, before anything is published',
  description: [
    'The report that a registry would make, with its readers and detectors, on this machine: no server, no upload, no signature.',
    'The device is that of ASSAY_DEVICE and the model that of ASSAY_MODEL; weights are needed once. --no-model leaves out what needs them.',
    'Exit code 0: clear. 1: something is flagged, personal data or secrets are found, or the files cannot be indexed. 2: inconclusive.',
  ].join('\n'),
  positionals: ['PATH'],
  options: {
    'no-model': { type: 'flag', help: 'only the detectors that need no embedding model' },
    'text-column': { type: 'text', value: 'NAME', help: 'the column that detectors read; guessed unless given' },
    'label-column': { type: 'text', value: 'NAME', help: 'the column with the label; guessed unless given' },
    'text-unit': { type: 'text', choices: ['line', 'paragraph'], help: 'what a sample is in plain-text files' },
    language: { type: 'text', value: 'TAG', help: 'BCP 47 tag of the samples’ language' },
    domain: { type: 'text', value: 'WORD', help: 'kind of text: news, forum, e-mail …' },
    synthetic: { type: 'text', choices: ['none', 'some', 'all', 'unknown'], default: 'unknown', help: 'how much of it models wrote' },
    generator: { type: 'list', value: 'NAME', help: 'a model that wrote some of it' },
    evidence: { type: 'integer', default: 4, value: 'N', help: 'how many findings of each detector to show' },
    out: { type: 'text', value: 'FILE', help: 'write flags and scores of every row there, as Arrow IPC' },
  },
  run: ({ signal, output: { json } }, { positionals: [path], options }) =>
    runProgram('tools', ['check', ...optionWords({ ...options, json }), '--', path], signal),
})
