/** The threads' side of workers.ts: opens what it needs, then answers one request after the other. A null message closes it. */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem, messageOf } from '../../core/problem.ts'

export interface WorkerRequest<Request> {
  id: number
  request: Request
}

export type WorkerMessage<Reply> =
  | { kind: 'ready' }
  /** The thread cannot work; nothing follows. */
  | { kind: 'unusable'; code: Problem['code']; detail: string }
  | { kind: 'answer'; id: number; reply: Reply }
  | { kind: 'refused'; id: number; code: Problem['code']; detail: string }
  | { kind: 'failed'; id: number; message: string }

export interface Answer<Reply> {
  reply: Reply
  /** Buffers of the reply that are handed over. */
  transfer?: ArrayBuffer[]
}

/** Opens with the pool's setup, and answers requests until the pool closes. A Problem on opening makes the thread unusable. */
export async function serveRequests<Setup, Request, Reply>(
  open: (setup: Setup) => Promise<(request: Request) => Answer<Reply> | Promise<Answer<Reply>>>,
): Promise<void> {
  if (parentPort === null) throw new Error('this file runs as a worker thread')
  const port = parentPort
  const send = (message: WorkerMessage<Reply>, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)
  try {
    const answer = await open(workerData as Setup) // what the pool was opened with
    let turn: Promise<void> = Promise.resolve()
    port.on('message', (message: WorkerRequest<Request> | null) => {
      if (message === null) return port.close()
      turn = turn.then(() => answerOne(message))
    })
    send({ kind: 'ready' })

    async function answerOne({ id, request }: WorkerRequest<Request>): Promise<void> {
      try {
        const { reply, transfer } = await answer(request)
        send({ kind: 'answer', id, reply }, transfer)
      } catch (error) {
        if (error instanceof Problem) send({ kind: 'refused', id, code: error.code, detail: error.detail })
        else send({ kind: 'failed', id, message: messageOf(error) })
      }
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    send({ kind: 'unusable', code: error.code, detail: error.detail })
    port.close()
  }
}
