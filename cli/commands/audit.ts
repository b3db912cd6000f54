/** `assay audit`: every law of a run, checked on the auditor's own machine. */
import { auditRun } from '../../core/audit.ts'
import type { AuditSource } from '../../core/audit/source.ts'
import { type AuditStep, LAWS, type StepStatus, conclude } from '../../core/audit/step.ts'
import { registrySource } from '../client/auditSource.ts'
import { cidArgument } from '../client/registry.ts'
import { type ExitCode, defineCommand } from '../command.ts'
import { createNativeSha256, nativeSha256 } from '../nativeHash.ts'
import { type Output, printable } from '../output.ts'
import { describeMark } from '../steps.ts'
import { loadTrust, trustOptions } from '../trust.ts'

const EXIT_CODES: Record<StepStatus, ExitCode> = { passed: 0, failed: 1, unknown: 2 }

export const audit = defineCommand({
  name: 'audit',
  summary: 'check a run from its batches back to the files, their author and the log',
  description: [
    'Exit code 0: every law holds. 1: one does not. 2: it cannot be told.',
    'The registry is asked for evidence and believed in nothing: signatures, trees, the selection and the order are computed here.',
    '',
    ...Object.entries(LAWS).map(([name, law]) => `${name.padEnd(21)} ${law}`),
  ].join('\n'),
  positionals: ['RUN'],
  options: {
    samples: { type: 'integer', value: 'N', default: 32, minimum: 1, help: 'rows of the batches to check, drawn at random' },
    ...trustOptions,
  },
  async run(context, { positionals: [runText], options }) {
    const { home, registry, output, random } = context
    const run = cidArgument(runText, 'run')
    const trust = await loadTrust(context, options)
    const remembered = await home.read(registry.server, 'checkpoint')
    const { source, checkpointSeen } = watched(registrySource(registry), output)
    const steps: AuditStep[] = []
    for await (const step of auditRun(source, trust, {
      run,
      samples: options.samples,
      random,
      hash: nativeSha256,
      createSha256: createNativeSha256,
      ...(remembered === null ? {} : { remembered }),
    })) {
      steps.push(step)
      output.say(describeStep(step))
    }
    const seen = checkpointSeen()
    if (seen !== null && steps.some(({ name, status }) => name === 'log-consistency' && status === 'passed'))
      await home.write(registry.server, 'checkpoint', seen)
    const conclusion = conclude(steps)
    output.result({ run: run.toString(), conclusion, steps }, describeConclusion(steps, conclusion))
    return EXIT_CODES[conclusion]
  },
})

/** Passes everything through; keeps the checkpoint and counts the bytes for the progress line. */
function watched(source: AuditSource, output: Output): { source: AuditSource; checkpointSeen: () => Uint8Array | null } {
  const progress = output.progress('fetched', 'bytes')
  let checkpoint: Uint8Array | null = null
  let fetched = 0
  return {
    checkpointSeen: () => {
      progress.end()
      return checkpoint
    },
    source: {
      ...source,
      async checkpoint() {
        checkpoint = await source.checkpoint()
        return checkpoint
      },
      async block(cid) {
        const bytes = await source.block(cid)
        progress.update((fetched += bytes.length))
        return bytes
      },
    },
  }
}

function describeStep({ name, subject, status, detail }: AuditStep): string {
  const short = subject.length > 24 ? `${subject.slice(0, 8)}…${subject.slice(-8)}` : subject
  return `${describeMark(status)} ${name.padEnd(21)} ${short.padEnd(24)} ${printable(detail)}`
}

function describeConclusion(steps: readonly AuditStep[], conclusion: StepStatus): string {
  const count = (status: StepStatus) => steps.filter((step) => step.status === status).length
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('unknown')} unknown`
  const words = { passed: 'every law holds', failed: 'the run does not stand', unknown: 'it cannot be told' }
  return `audit: ${words[conclusion]} (${counts})`
}
