/** The threads of approximate.ts, each asked for one thing at a time. */
import { Worker } from 'node:worker_threads'
import type { SearchSetup, ThreadReply, ThreadRequest } from './approximateThread.ts'
import type { FoundLists } from './best.ts'

export interface SearchThread {
  /** Gives the lists of a search, and empty ones otherwise. Rejects with what made a thread fail, and the signal's reason. */
  ask(request: ThreadRequest): Promise<FoundLists>
}

export interface SearchThreads extends AsyncDisposable {
  readonly threads: readonly SearchThread[]
}

export function openSearchThreads(setup: SearchSetup, { size, signal }: { size: number; signal: AbortSignal | undefined }): SearchThreads {
  const waiting = new Set<PromiseWithResolvers<FoundLists>>()
  let failure: { reason: unknown } | undefined
  const fail = (reason: unknown) => {
    failure ??= { reason }
    for (const request of waiting) request.reject(failure.reason)
    waiting.clear()
  }
  const stop = () => fail(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const workers = Array.from({ length: size }, () => new Worker(new URL('./approximateThread.ts', import.meta.url), { workerData: setup }))
  const threads = workers.map((worker): SearchThread => {
    let asked: PromiseWithResolvers<FoundLists> | undefined
    worker.on('error', fail)
    worker.on('message', ({ lists }: ThreadReply) => {
      if (asked === undefined) return
      waiting.delete(asked)
      asked.resolve(lists)
    })
    return {
      async ask(request) {
        if (failure !== undefined) throw failure.reason
        const answer = Promise.withResolvers<FoundLists>()
        asked = answer
        waiting.add(answer)
        worker.postMessage(request)
        return answer.promise
      },
    }
  })
  return {
    threads,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', stop)
      fail(new Error('the search is closed'))
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
