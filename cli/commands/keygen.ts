/** `assay keygen`: a signing key of one's own. */
import { newSeed } from '../account.ts'
import { defineCommand } from '../command.ts'

export const keygen = defineCommand({
  name: 'keygen',
  summary: 'make a signing key, unless there is one, and print its did:key',
  positionals: [],
  options: {},
  async run({ home, output }) {
    const fresh = !(await home.hasKey())
    if (fresh) await home.saveKey(newSeed())
    const { did } = await home.signer()
    if (fresh) output.note(`a new key is in ${home.directory}; whoever has it can sign as you, and nobody can give it back to you`)
    output.result({ did, created: fresh }, did)
    return 0
  },
})
