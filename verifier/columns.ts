/** Which column holds the text that detectors read, which the images and which the label; and their values as text and bytes. */
import type { ColumnStatistics, SampleIndex } from '../core/documents/sampleIndex.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { Field, FieldType } from '../core/samples/schema.ts'
import type { Value } from '../core/samples/value.ts'
import type { z } from 'zod'

export interface ChosenColumns {
  text: string | null
  /** Binary values, or structs with a field `bytes` as Hugging Face has them. */
  image: string | null
  label: string | null
  /** What answers the text, by a usual name; the manifest names none. */
  response: string | null
  /** Whether one of them was not named by the manifest. */
  guessed: boolean
  /** What a reader of the report should know about the choice. */
  notes: string[]
}

const TEXT_NAMES = ['text', 'content', 'body', 'sentence', 'message', 'document', 'review', 'comment', 'prompt', 'instruction', 'question']
const CHAT_NAMES = ['messages', 'conversations', 'conversation', 'dialog', 'dialogue']
const IMAGE_NAMES = ['image', 'images', 'img', 'picture', 'photo', 'pixels']
/** Beside images these are texts, and other strings are names of files and the like. */
const CAPTION_NAMES = ['caption', 'captions', 'description']
const LABEL_NAMES = ['label', 'labels', 'class', 'category', 'target', 'sentiment', 'intent', 'topic']
const RESPONSE_NAMES = ['response', 'output', 'completion', 'answer', 'chosen', 'reply']
/** Strings shorter than this on average are names and codes. */
const LEAST_MEAN_LENGTH = 16

/** The manifest's columns where it names some; else those with a usual name, else the longest strings as text. */
export function chooseColumns(index: Pick<SampleIndex, 'schema' | 'statistics'>, named: Manifest['columns'] = {}): ChosenColumns {
  const { schema, statistics } = index
  const notes: string[] = []
  const has = (name: string | undefined, role: string): name is string => {
    if (name === undefined) return false
    const found = schema.some((field) => field.name === name)
    if (!found) notes.push(`The manifest names "${name}" as the ${role} column; there is no such column.`)
    return found
  }
  const image = guessImage(schema)
  const text = has(named.text, 'text') ? named.text : image === null ? guessText(schema, statistics) : usualText(schema, CAPTION_NAMES)
  const label = has(named.label, 'label') ? named.label : byName(schema.filter(isLabel), LABEL_NAMES, text)
  const strings = schema.filter((field) => field.type.type === 'utf8' && field.name !== label)
  const response = text === null ? null : byName(strings, RESPONSE_NAMES, text)
  const unread = strings.filter((field) => field.name !== text && field.name !== response)
  if (unread.length > 0 && text !== null)
    notes.push(
      `Only the column "${text}" was read as text; looked through for personal data and secrets alone were: ${listed(unread.map((field) => field.name))}.`,
    )
  if (response !== null) notes.push(`The column "${response}" was read as the response to "${text}", and only held against it.`)
  if (image !== null) notes.push(`The column "${image}" was read as images.`)
  return {
    text,
    image,
    label,
    response,
    guessed: (text !== null && text !== named.text) || (label !== null && label !== named.label),
    notes,
  }
}

function guessText(schema: readonly Field[], statistics: readonly z.infer<typeof ColumnStatistics>[]): string | null {
  const lengthOf = new Map(statistics.map((column) => [column.name, column.meanLengthBytes ?? 0]))
  const usual = usualText(schema)
  if (usual !== null) return usual
  const strings = schema.filter((field) => field.type.type === 'utf8')
  let longest: string | null = null
  for (const { name } of strings)
    if (lengthOf.get(name)! > (longest === null ? LEAST_MEAN_LENGTH - 1 : lengthOf.get(longest)!)) longest = name
  return longest
}

function usualText(schema: readonly Field[], more: readonly string[] = []): string | null {
  const strings = schema.filter((field) => field.type.type === 'utf8')
  return byName(strings, [...TEXT_NAMES, ...more], null) ?? byName(schema.filter(isChat), CHAT_NAMES, null)
}

/** A column of bytes with a usual name, else the only one of bytes. */
function guessImage(schema: readonly Field[]): string | null {
  const fields = schema.filter(({ type }) => holdsBytes(type))
  return byName(fields, IMAGE_NAMES, null) ?? (fields.length === 1 ? fields[0]!.name : null)
}

function holdsBytes(type: FieldType): boolean {
  return (
    type.type === 'binary' ||
    (type.type === 'struct' && type.fields.some((field) => field.name === 'bytes' && field.type.type === 'binary'))
  )
}

/** The column that is embedded: the texts', or the images' where there are none. */
export function embeddedColumn({ text, image }: ChosenColumns, withImages: boolean): string | null {
  return text ?? (withImages ? image : null)
}

/** Whether a column holds images and not texts. */
export function isImageColumn(schema: readonly Field[], name: string): boolean {
  const field = schema.find((one) => one.name === name)
  return field !== undefined && holdsBytes(field.type)
}

/** The bytes of an image: a binary value, or those in a struct; null where there are none. */
export function bytesOf(value: Value | undefined): Uint8Array | null {
  if (value instanceof Uint8Array) return value
  if (value === null || typeof value !== 'object' || !('bytes' in value)) return null
  return value['bytes'] instanceof Uint8Array ? value['bytes'] : null
}

/** The first of `names` that a column has, whatever its case. */
function byName(fields: readonly Field[], names: readonly string[], other: string | null): string | null {
  for (const name of names) {
    const found = fields.find((field) => field.name !== other && field.name.toLowerCase() === name)
    if (found !== undefined) return found.name
  }
  return null
}

function isLabel(field: Field): boolean {
  return ['utf8', 'int64', 'uint64', 'float64', 'bool'].includes(field.type.type)
}

function isChat({ type }: Field): boolean {
  return type.type === 'list' && type.items.type !== 'list' && holdsText(type.items)
}

/** Whether strings stand in values of a type, at any depth. */
export function holdsText(type: FieldType): boolean {
  if (type.type === 'list') return holdsText(type.items)
  return type.type === 'utf8' || (type.type === 'struct' && type.fields.some((field) => holdsText(field.type)))
}

/** The text of a value: a string itself, or the strings in a list or struct, one a line; null where there is none. */
export function textOf(value: Value | undefined): string | null {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return null
  const parts = (Array.isArray(value) ? value : Object.values(value)).map((part: Value) => textOf(part)).filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join('\n')
}

/** A label as text: strings, numbers and truth values; null for everything else. */
export function labelOf(value: Value | undefined): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : null
}

/** At most eight names for a sentence. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name.slice(0, 64)}"`)
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ')
}
