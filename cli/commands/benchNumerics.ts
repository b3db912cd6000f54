/** `assay bench numerics`: how far this machine’s devices lie apart. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const benchNumerics = defineCommand({
  name: 'bench numerics',
  summary: 'measure how far each device and mode of this machine lies from the CPU in fp32',
  description:
    'Embeds real texts with real weights on every usable device in every mode, and prints quantiles of the differences and the tolerances that a recipe should carry: four times the 99.99 % quantile.',
  positionals: [],
  options: {
    texts: { type: 'text', value: 'FILE', help: 'texts, one a line or JSON Lines with the field "text" (default: sentences from npm)' },
    rows: { type: 'integer', minimum: 1, default: 2000, value: 'N', help: 'how many texts' },
    seconds: { type: 'integer', minimum: 1, default: 120, value: 'N', help: 'at most so long for each device and mode' },
  },
  run: ({ signal, output: { json } }, { options }) =>
    runProgram('tools', ['bench', 'numerics', ...optionWords({ ...options, json })], signal),
})
