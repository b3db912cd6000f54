/** Texts to embed, always the same. */
import { readFile } from 'node:fs/promises'
import type { TextModel } from '../../core/models.ts'
import type { LocalModel } from '../../verifier/embedding/modelCache.ts'

const MEAN_WORDS = 60

/** Texts of 20 to 100 words out of the model's vocabulary. */
export async function makeTexts(model: LocalModel<TextModel>, count: number): Promise<string[]> {
  const path = model.pathOf(model.model.tokenizer.vocabulary)
  const json: { model: { vocab: Record<string, number> } } = JSON.parse(await readFile(path, 'utf8'))
  const words = Object.keys(json.model.vocab).filter((word) => /^[a-z]{2,12}$/.test(word))
  let state = 1
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: MEAN_WORDS - 40 + below(81) }, () => words[below(words.length)]!).join(' '),
  )
}
