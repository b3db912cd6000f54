/**
 * Classes of length: what a score says of a text depends on how long it is, so texts are compared with references of their own class. Of human
 * texts of 100 to 179 words 2.5 % score like the highest 1 % of all of 100 and more (DetectRL, four kinds), so that classes are not joined where
 * references are few.
 */

/** Least number of words of each class. Texts that are shorter than all are not scored. */
export const LENGTH_CLASSES = [50, 100, 180] as const

/** The class of a text of so many words; −1 for fewer than 50. */
export function lengthClassOf(words: number): number {
  return LENGTH_CLASSES.findLastIndex((least) => words >= least)
}

/** For a person: `50 to 99`, `180 or more`. */
export function lengthClassName(lengthClass: number): string {
  const next = LENGTH_CLASSES[lengthClass + 1]
  return next === undefined ? `${LENGTH_CLASSES[lengthClass]} or more` : `${LENGTH_CLASSES[lengthClass]} to ${next - 1}`
}
