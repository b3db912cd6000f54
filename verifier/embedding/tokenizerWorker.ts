/** A thread of tokenizerPool.ts: texts to the ids of their tokens, one after the other in one array. */
import { openTokenizer, type TokenizerModel } from './tokenizer.ts'
import { serveRequests } from './workerSide.ts'

export interface TokenizerSetup {
  model: TokenizerModel
  /** Path on this machine of each of the tokenizer's files. */
  paths: Record<string, string>
}

export interface TokenizedTexts {
  /** Of all texts. */
  ids: Int32Array<ArrayBuffer>
  /** Where each text's ids end. */
  ends: Int32Array<ArrayBuffer>
}

await serveRequests<TokenizerSetup, readonly string[], TokenizedTexts>(async ({ model, paths }) => {
  const tokenizer = await openTokenizer({ model, pathOf: (path) => paths[path]! })
  return (texts) => {
    const ids = new Int32Array(texts.length * tokenizer.maxTokens)
    const ends = new Int32Array(texts.length)
    let length = 0
    for (const [i, text] of texts.entries()) {
      for (const id of tokenizer.encode(text)) ids[length++] = id
      ends[i] = length
    }
    const reply = { ids: ids.slice(0, length), ends }
    return { reply, transfer: [reply.ids.buffer, reply.ends.buffer] }
  }
})
