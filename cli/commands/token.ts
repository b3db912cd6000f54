/** `assay token`: a bearer token for programs that are not this one. */
import { z } from 'zod'
import { withToken } from '../account.ts'
import { authorization, parseAnswer } from '../client/registry.ts'
import { defineCommand } from '../command.ts'

export const token = defineCommand({
  name: 'token',
  summary: 'print a bearer token for other programs',
  description: [
    'Clients of the Hugging Face Hub take it as HF_TOKEN, with HF_ENDPOINT naming the registry.',
    'It is asked for with your key and kept in the home directory; whoever has it can publish in your name until it is revoked.',
  ].join('\n'),
  positionals: [],
  options: {},
  async run(context) {
    const { output, registry } = context
    const valid = await withToken(context, async (kept) => {
      // Asked with it, so that a token that was revoked is replaced and not printed.
      await parseAnswer(z.object({ id: z.string() }), await registry.http.request('/api/whoami-v2', { headers: authorization(kept) }))
      return kept
    })
    // Some of these clients send no token that begins otherwise; the registry takes both.
    const token = `hf_${valid}`
    output.result({ token }, token)
    return 0
  },
})
