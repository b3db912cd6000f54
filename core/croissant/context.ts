/** Croissant 1.1's JSON-LD context (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, appendix 1) and those vocabularies that it recommends. */
import { utf8ToBytes } from '../bytes.ts'
import type { Plain } from '../hub/yaml.ts'

export const CROISSANT_VERSION = 'http://mlcommons.org/croissant/1.1'
export const CROISSANT_MEDIA_TYPE = `application/ld+json; profile="${CROISSANT_VERSION}"`

/**
 * As `mlcroissant` 1.1 writes it, which warns of any term that is missing: `value` is schema.org's there, and names and descriptions are
 * text without a language.
 */
export const CROISSANT_CONTEXT: Readonly<Record<string, Plain>> = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  annotation: 'cr:annotation',
  arrayShape: 'cr:arrayShape',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  containedIn: 'cr:containedIn',
  cr: 'http://mlcommons.org/croissant/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  description: { '@container': '@language' },
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileObject: 'cr:fileObject',
  fileProperty: 'cr:fileProperty',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isArray: 'cr:isArray',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  name: { '@container': '@language' },
  odrl: 'http://www.w3.org/ns/odrl/2/',
  parentField: 'cr:parentField',
  path: 'cr:path',
  prov: 'http://www.w3.org/ns/prov#',
  rai: 'http://mlcommons.org/croissant/RAI/',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
}

/**
 * A name of others as one part of an `@id`: what is no letter, digit, `-` or `_`, and no dot within, as `~` and its UTF-8 in hexadecimal, so
 * that different names have different ids and none has a meaning in an IRI.
 */
export function idPart(name: string): string {
  if (name === '') return '~'
  const escaped = name.replaceAll(/[^A-Za-z0-9._-]/gu, (character) =>
    [...utf8ToBytes(character)].map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return /^\.+$/.test(escaped) ? escaped.replaceAll('.', '~2E') : escaped
}
