/** A witness's HTTP face, https://c2sp.org/tlog-witness: `POST /add-checkpoint`, and at `/` who it is and what it has seen. */
import { Hono } from 'hono'
import { bytesToBase64 } from '../core/bytes.ts'
import { type Cosigner, cosign } from '../core/log/cosignature.ts'
import { formatKey, type NoteKey } from '../core/log/noteKey.ts'
import { decide, MAX_ADD_CHECKPOINT_BYTES, originOf, parseAddCheckpoint } from '../core/log/witness.ts'
import { Problem } from '../core/problem.ts'
import type { WitnessState } from '../store/witnessState.ts'
import { readRequestBody } from './http/body.ts'

export interface WitnessContext {
  state: WitnessState
  /** Keys of the logs that it knows. */
  logs: readonly NoteKey[]
  /** Under how many keys it cosigns; the first is the one that it is known by. */
  cosigners: readonly [Cosigner, ...Cosigner[]]
  clock: () => Date
  onFault: (error: unknown) => void
}

export function createWitnessApp({ state, logs, cosigners, clock, onFault }: WitnessContext): Hono {
  const app = new Hono()
  app.onError((error, c) => {
    if (error instanceof Problem) return c.text(`${error.detail}\n`, error.code === 'too-large' ? 413 : 400)
    onFault(error)
    return c.text('the witness failed; ask again later\n', 500)
  })

  app.post('/add-checkpoint', async (c) => {
    const body = await readRequestBody(c, MAX_ADD_CHECKPOINT_BYTES)
    const request = parseAddCheckpoint(body)
    // The state is on disk before a signature leaves.
    const decision = state.decide(originOf(request.checkpoint), body, (witnessed) => decide(request, logs, witnessed))
    if (decision.verdict === 'refuse') return c.text(`${decision.reason}\n`, decision.status)
    if (decision.verdict === 'conflict') return c.body(`${decision.size}\n`, decision.status, { 'content-type': 'text/x.tlog.size' })
    const timeSeconds = Math.floor(clock().getTime() / 1000)
    return c.text(cosigners.map((cosigner) => cosign(decision.text, cosigner, timeSeconds)).join(''))
  })

  app.get('/', (c) => {
    const seen = new Map(state.latest().map((head) => [head.origin, head]))
    const lines = logs.map(({ name }) => {
      const head = seen.get(name)
      return head === undefined ? `${name} nothing yet` : `${name} ${head.size} ${bytesToBase64(head.rootHash)}`
    })
    return c.text([...cosigners.map(({ key }) => `witness ${formatKey(key)}`), ...lines, ''].join('\n'))
  })
  return app
}
