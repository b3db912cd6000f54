/**
 * A pool of worker threads that answer requests: for work that occupies its thread until it is done, in a process that has others to
 * serve. The threads' side is workerSide.ts.
 */
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { Problem } from '../../core/problem.ts'
import type { WorkerMessage, WorkerRequest } from './workerSide.ts'

export interface WorkerPool<Request, Reply> extends AsyncDisposable {
  /** Threads, and so requests that are worked on at the same time; each answers in the order of its requests. */
  readonly size: number
  /** Hands a request to the idlest thread, and the buffers of `transfer` over to it. Rejects with the Problem or error of the thread. */
  run(request: Request, transfer?: ArrayBuffer[]): Promise<Reply>
}

/** Starts `size` threads of a script with the same setup. Rejects with the first Problem or error of a thread that cannot start. */
export async function openWorkers<Request, Reply>(script: URL, setup: unknown, size: number): Promise<WorkerPool<Request, Reply>> {
  const opened = await Promise.allSettled(Array.from({ length: size }, () => openWorker<Request, Reply>(script, setup)))
  const workers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const close = async () => {
    await Promise.all(workers.map((worker) => worker.close()))
  }
  const failure = opened.find((result) => result.status === 'rejected')
  if (failure !== undefined) {
    await close()
    throw failure.reason
  }
  return {
    size,
    async run(request, transfer = []) {
      const idlest = workers.reduce((a, b) => (b.pending < a.pending ? b : a))
      return idlest.run(request, transfer)
    },
    [Symbol.asyncDispose]: close,
  }
}

interface WorkerHandle<Request, Reply> {
  /** Requests that are handed over and not answered. */
  readonly pending: number
  run(request: Request, transfer: ArrayBuffer[]): Promise<Reply>
  close(): Promise<void>
}

async function openWorker<Request, Reply>(script: URL, setup: unknown): Promise<WorkerHandle<Request, Reply>> {
  // The environment is shared so that settings that native libraries read there reach them.
  const worker = new Worker(script, { workerData: setup, env: SHARE_ENV })
  const waiting = new Map<number, PromiseWithResolvers<Reply>>()
  let failure: Error | undefined
  const exited = new Promise<void>((resolve) => void worker.once('exit', () => resolve()))
  const ready = Promise.withResolvers<void>()
  const fail = (error: Error) => {
    failure ??= error
    ready.reject(failure)
    for (const request of waiting.values()) request.reject(failure)
    waiting.clear()
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the worker thread is closed')))
  worker.on('message', (message: WorkerMessage<Reply>) => {
    if (message.kind === 'ready') return ready.resolve()
    if (message.kind === 'unusable') return fail(new Problem(message.code, message.detail))
    const request = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.kind === 'answer') request?.resolve(message.reply)
    else if (message.kind === 'refused') request?.reject(new Problem(message.code, message.detail))
    else request?.reject(new Error(message.message))
  })

  let nextId = 0
  const handle: WorkerHandle<Request, Reply> = {
    get pending() {
      return waiting.size
    },
    async run(request, transfer) {
      if (failure !== undefined) throw failure
      const answer = Promise.withResolvers<Reply>()
      const id = nextId++
      waiting.set(id, answer)
      worker.postMessage({ id, request } satisfies WorkerRequest<Request>, transfer)
      return answer.promise
    },
    async close() {
      worker.postMessage(null)
      await exited
    },
  }
  try {
    await ready.promise
  } catch (error) {
    await handle.close()
    throw error
  }
  return handle
}
