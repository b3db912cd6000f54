/** `assay demo`: the whole main job on real data, then a node that keeps serving what it made. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { runDemo } from '../demo/demo.ts'

export const demo = defineCommand({
  name: 'demo',
  summary: 'the whole main job on 6,046 real e-mails with planted poison, against a node of its own',
  positionals: [],
  options: {
    once: { type: 'flag', help: 'end after the last step instead of serving on' },
    data: { type: 'text', value: 'DIR', default: join('data', 'demo'), help: 'where everything is kept; emptied first' },
    port: { type: 'integer', value: 'N', default: 8080, help: 'port of the node; 0 for any free one' },
  },
  async run(context, { options }) {
    const { output, signal } = context
    await runDemo(
      {
        directory: resolve(options.data),
        cacheDirectory: join(homedir(), '.cache', 'assay', 'demo'),
        port: options.port,
        context,
        runLine: ({ home, ...line }) => context.runLine({ ...line, homeDirectory: home }),
      },
      async (url, ended) => {
        if (options.once) return
        output.say(`serving on ${url} (documentation: ${url}/docs); Ctrl-C ends it`)
        await Promise.race([ended, aborted(signal)])
      },
    )
    return 0
  },
})

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
