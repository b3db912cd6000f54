/**
 * Texts to embeddings as a stream: a window of texts is tokenised, sorted by length and cut into batches of about equal work, while
 * the batches of the window before are still computed. Memory is bounded by two windows and the batches in flight.
 */
import type { EmbeddingRuntime, TokenBatch } from './runtime.ts'
import type { BatchTokenizer } from './tokenizer.ts'

export interface EmbedOptions {
  runtime: EmbeddingRuntime
  tokenizer: BatchTokenizer
  /** Texts in order, in groups of any size; null where a sample has none. */
  texts: AsyncIterable<readonly (string | null)[]> | Iterable<readonly (string | null)[]>
  /** Shared by all who embed on this runtime at the same time. */
  turns?: Turns | undefined
  signal?: AbortSignal | undefined
  /** Texts that are done. */
  onProgress?: ((texts: number) => void) | undefined
}

/** The embeddings of consecutive texts. */
export interface EmbeddingBlock {
  /** count × dimensions; zeros where there was no text. */
  vectors: Float32Array
  /** For each inner layer of the runtime count × 2·width: mean and standard deviation over tokens; zeros where there was no text. */
  layers: Float32Array[]
  /** 1 where there was a text. */
  valid: Uint8Array
}

/** Texts that are sorted by length together, at least: about 1 % of the tokens are padding then. As many as a batch has tokens where those are more. */
const WINDOW_TEXTS = 1024
/** Batches that wait at each session, so that it never waits for us. */
const BATCHES_AHEAD = 2

/**
 * Embeds texts in their order. What a text's embedding is does not depend on the texts around it. Throws the signal's reason when it
 * is aborted; batches that run by then are waited for.
 */
export async function* embedTexts(options: EmbedOptions): AsyncGenerator<EmbeddingBlock> {
  const { runtime, onProgress } = options
  const limit = createLimit(runtime.concurrency * BATCHES_AHEAD, options.turns ?? createTurns())
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  let done = 0
  let ahead: Promise<EmbeddingBlock> | undefined
  try {
    for await (const window of windowsOf(options.texts, Math.max(WINDOW_TEXTS, runtime.tokenBudget))) {
      const current = embedWindow(window, options, limit, signal)
      current.catch(() => undefined) // it is awaited one turn later
      if (ahead !== undefined) yield report(await ahead)
      ahead = current
    }
    if (ahead !== undefined) yield report(await ahead)
  } finally {
    stop.abort()
    await ahead?.catch(() => undefined)
    await limit.idle()
  }

  function report(block: EmbeddingBlock): EmbeddingBlock {
    done += block.valid.length
    onProgress?.(done)
    return block
  }
}

async function* windowsOf(texts: EmbedOptions['texts'], windowTexts: number): AsyncGenerator<(string | null)[]> {
  let window: (string | null)[] = []
  for await (const group of texts) {
    for (const text of group) {
      window.push(text)
      if (window.length < windowTexts) continue
      yield window
      window = []
    }
  }
  if (window.length > 0) yield window
}

interface TokenizedText {
  row: number
  ids: ArrayLike<number>
}

async function embedWindow(
  texts: readonly (string | null)[],
  { runtime, tokenizer }: EmbedOptions,
  limit: Limit,
  signal: AbortSignal,
): Promise<EmbeddingBlock> {
  const { dimensions } = runtime
  const block = {
    vectors: new Float32Array(texts.length * dimensions),
    layers: runtime.layers.map(({ width }) => new Float32Array(texts.length * 2 * width)),
    valid: new Uint8Array(texts.length),
  }
  const rows = [...texts.keys()].filter((row) => texts[row] !== null)
  const encoded = await tokenizer.encodeAll(
    rows.map((row) => texts[row]!),
    signal,
  )
  const tokenized = encoded.map((ids, i): TokenizedText => ({ row: rows[i]!, ids }))
  tokenized.sort((a, b) => a.ids.length - b.ids.length || a.row - b.row)

  await limit.all(
    batchesOf(tokenized, runtime),
    async (group) => {
      const pooled = await runtime.embed(toBatch(group, runtime.tokenStep))
      for (const [i, { row }] of group.entries()) {
        copyRow(pooled.vectors, i, block.vectors, row, dimensions)
        for (const [layer, { width }] of runtime.layers.entries()) copyRow(pooled.layers[layer]!, i, block.layers[layer]!, row, 2 * width)
        block.valid[row] = 1
      }
    },
    signal,
  )
  return block
}

function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, width: number): void {
  target.set(source.subarray(from * width, (from + 1) * width), to * width)
}

/** Cuts texts that are sorted by length into groups of at most `tokenBudget` tokens with their padding, of one text at least. */
function* batchesOf(texts: TokenizedText[], { tokenBudget, tokenStep }: EmbeddingRuntime): Generator<TokenizedText[]> {
  let start = 0
  for (let end = 1; end <= texts.length; end++) {
    const next = texts[end]
    if (next !== undefined && (end + 1 - start) * paddedLength(next, tokenStep) <= tokenBudget) continue
    yield texts.slice(start, end)
    start = end
  }
}

function paddedLength({ ids }: TokenizedText, tokenStep: number): number {
  return Math.ceil(ids.length / tokenStep) * tokenStep
}

/** Pads texts, sorted by length, to the length of the last. */
function toBatch(texts: TokenizedText[], tokenStep: number): TokenBatch {
  const rows = texts.length
  const tokens = paddedLength(texts.at(-1)!, tokenStep)
  const inputIds = new BigInt64Array(rows * tokens)
  const attentionMask = new BigInt64Array(rows * tokens)
  // The low halves of the integers: three times as fast as a BigInt for each token.
  const lowIds = new Int32Array(inputIds.buffer)
  const lowMask = new Int32Array(attentionMask.buffer)
  for (const [row, { ids }] of texts.entries()) {
    const first = 2 * row * tokens
    for (let i = 0; i < ids.length; i++) {
      lowIds[first + 2 * i] = ids[i]!
      lowMask[first + 2 * i] = 1
    }
  }
  return { rows, tokens, inputIds, attentionMask }
}

export interface Turns {
  /** Resolves when all who asked before have ended their turns. Gives what ends this one. */
  take(): Promise<() => void>
}

/**
 * Those who embed at the same time hand over the batches of a window one after the other: were they to share the runtime, they would end
 * together, and it would wait while all of them store what they have and read on.
 */
export function createTurns(): Turns {
  let last = Promise.resolve()
  return {
    take() {
      const before = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = before.then(() => promise)
      return before.then(() => resolve)
    },
  }
}

interface Limit {
  /** In its turn runs `work` on each item, as soon as there is room; rejects with the first failure or the signal's reason. */
  all<T>(items: Iterable<T>, work: (item: T) => Promise<void>, signal: AbortSignal): Promise<void>
  /** Resolves when nothing runs. */
  idle(): Promise<void>
}

/** At most `size` pieces of work at a time, over all callers. */
function createLimit(size: number, turns: Turns): Limit {
  const running = new Set<Promise<void>>()
  return {
    async all(items, work, signal) {
      const mine: Promise<void>[] = []
      let failed = false
      const endTurn = await turns.take()
      try {
        for (const item of items) {
          while (running.size >= size && !failed) await Promise.race(running)
          signal.throwIfAborted()
          if (failed) break
          const task = work(item)
          const settled: Promise<void> = task.then(
            () => void running.delete(settled),
            () => {
              failed = true
              running.delete(settled)
            },
          )
          running.add(settled)
          mine.push(task)
        }
      } finally {
        endTurn()
      }
      await Promise.all(mine)
      signal.throwIfAborted()
    },
    async idle() {
      await Promise.all(running)
    },
  }
}
