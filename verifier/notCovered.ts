/** What no detector of this verifier looks at, for people: of each property, and of all. */
import type { Property } from '../core/documents/report.ts'

/** For every data set. */
const OF_TEXT: Readonly<Record<Property, readonly string[]>> = {
  hidden_content: [
    'Characters that are seen as boxes, such as private-use ones; direction overrides where a text is written from right to left; acrostics and whatever else the words say.',
  ],
  duplication: [
    'Copies in other words or another language: texts that look so are listed, and decide nothing. Items of benchmark sets that the recipe does not name.',
  ],
  poison: [
    'Triggers that are a style or a sentence structure, where they stand in less than about 5 % of the samples, in texts that keep their true label, or in one of fewer than two classes of 100 samples; other triggers in few texts that keep their true label.',
  ],
  label_quality: ['Labels that are wrong by a rule, so that models learn them as right; targets that are numbers.'],
  synthetic_share: [
    'Texts of fewer than 50 words, kinds of text of which there are no human references, and whether a person edited what a model wrote.',
  ],
}

/** Where there are images too. */
const OF_IMAGES: Readonly<Partial<Record<Property, readonly string[]>>> = {
  hidden_content: ['What is hidden in the pixels or the metadata of images.'],
  duplication: ['Images that are mirrored, turned, or cut more than a little.'],
  poison: [
    'Triggers in images other than a patch that stands at one place of the images of one label: patches that move, that fade in over the whole image, that bend it, or that give each label the next one; what is smaller than a 32nd of a large image, but for its four corners.',
  ],
  synthetic_share: ['Who or what made an image.'],
}

/** Of one property. */
export function notCoveredOf(property: Property, hasImages: boolean): string[] {
  return [...OF_TEXT[property], ...(hasImages ? (OF_IMAGES[property] ?? []) : [])]
}

/** Of all. */
export const COLUMNS_NOT_COVERED =
  'Columns other than the text, the images and the label, but for personal data, secrets, missing values and identifiers; sound and other binary values, of which only exact copies are found.'
