/** Phrases with which assistants open and close their answers. That a text has one says what it says, not who wrote it. */

export const ASSISTANT_PHRASES = [
  'as an ai language model',
  'as a language model',
  'as an ai, i',
  'as an artificial intelligence',
  "i'm sorry, but i can",
  'i am sorry, but i can',
  'i cannot fulfill',
  'i cannot assist with',
  "i'm not able to provide",
  'my knowledge cutoff',
  'as of my last update',
  'as of my last knowledge update',
  'certainly! here',
  'sure! here',
  'sure, here',
  'of course! here',
  'absolutely! here',
  'great question!',
  'i hope this helps',
  'feel free to ask',
  'let me know if you have any',
  'let me know if you need',
  'is there anything else i can help',
] as const

/** Both ends of a text are read so far. */
const END_CHARACTERS = 200

/** The first of the phrases that stands at either end of a text; −1 where none does. */
export function assistantPhrase(text: string): number {
  const ends =
    text.length <= 2 * END_CHARACTERS
      ? text.toLowerCase()
      : `${text.slice(0, END_CHARACTERS)}\n${text.slice(-END_CHARACTERS)}`.toLowerCase()
  // Nine in ten texts have none of the words that all of them have one of.
  if (!QUICK.test(ends)) return -1
  const straight = ends.replaceAll('\u2019', "'")
  return ASSISTANT_PHRASES.findIndex((phrase) => straight.includes(phrase))
}

const QUICK =
  /language model|an ai, i|artificial int|i can|not able|cutoff|last |! here|, here|great q|hope this|feel free|let me know|anything else/
