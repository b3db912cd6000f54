/** `assay doctor`: what this machine can verify with. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'say what this machine can verify with: devices, models, and what is missing',
  description: 'Exit code 0 where the device of ASSAY_DEVICE (default cpu) can be used.',
  positionals: [],
  options: {},
  run: ({ signal, output: { json } }) => runProgram('tools', ['doctor', ...optionWords({ json })], signal),
})
