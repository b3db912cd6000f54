/** `assay witness`: cosigns the checkpoints of other logs, so that none of them can show two histories unseen. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { createWitnessApp } from '../api/witness.ts'
import { ed25519Cosigner } from '../core/log/cosignature.ts'
import { parseVerificationKey } from '../core/log/note.ts'
import { formatKey } from '../core/log/noteKey.ts'
import { parsePolicy } from '../core/log/policy.ts'
import { messageOf, Problem } from '../core/problem.ts'
import { openKeyFile } from '../store/keyFiles.ts'
import { openWitnessState } from '../store/witnessState.ts'
import { parseWords, type Tool } from './tool.ts'

export const witness: Tool = {
  name: 'witness',
  async run({ result, note, signal }, words) {
    const { values } = parseWords(words, {
      name: { type: 'string' },
      data: { type: 'string', default: 'witness' },
      log: { type: 'string', multiple: true, default: [] },
      policy: { type: 'string', multiple: true, default: [] },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8090' },
    })
    if (values.name === undefined) throw new Problem('invalid-request', 'witness takes --name, a URL without a scheme that stands for you')
    const logs = [...values.log.map(parseVerificationKey), ...(await Promise.all(values.policy.map(logsOfPolicy))).flat()]
    if (logs.length === 0) throw new Problem('invalid-request', 'witness takes the logs to watch: --log VKEY or --policy FILE')
    const signer = await openKeyFile(values.data, 'witness', (length) => randomBytes(length))
    const cosigner = ed25519Cosigner(values.name, signer)
    using state = openWitnessState(join(values.data, 'witness.sqlite'))
    const app = createWitnessApp({
      state,
      logs,
      cosigners: [cosigner],
      clock: () => new Date(),
      onFault: (error) => note(`witness: ${messageOf(error)}`),
    })
    const server = serve({ fetch: app.fetch, hostname: values.host, port: Number(values.port) })
    try {
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const url = `http://${values.host}:${port}`
      const vkey = formatKey(cosigner.key)
      result(
        { name: values.name, vkey, url, logs: logs.map(formatKey) },
        `witness ready on ${url}, for ${logs.map(({ name }) => name).join(', ')}\nThe logs' operators put this line into their policy:\nwitness NAME ${vkey} ${url}`,
      )
      if (!signal.aborted) await once(signal, 'abort')
    } finally {
      server.close()
    }
    return 0
  },
}

async function logsOfPolicy(path: string) {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Problem('not-found', `the policy ${path} cannot be read: ${messageOf(cause)}`, { cause })
  })
  return parsePolicy(bytes).logs.map(({ key }) => key)
}
