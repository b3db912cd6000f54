/**
 * Protobuf messages (https://protobuf.dev/programming-guides/encoding) as lists of fields that are kept byte for byte, so that what we
 * do not know of a file goes through untouched. Reading is pbf's; every bound is checked here, since pbf trusts its input.
 */
import { PbfReader, PbfWriter } from 'pbf'
import { concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { Problem } from '../../core/problem.ts'

export interface WireField {
  number: number
  /** The whole field with its tag, as it stands in the message. */
  raw: Uint8Array
  /** Of a length-delimited field; empty otherwise. A view. */
  payload: Uint8Array
  /** Of a varint, below 2^53 in magnitude or rounded; 0 otherwise. */
  integer: number
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** The fields of a message, in their order. Throws `invalid-file` for anything that is not one, or that has more than `maxFields`. */
export function readFields(bytes: Uint8Array, maxFields = 1_000_000): WireField[] {
  const reader = new PbfReader(bytes)
  const fields: WireField[] = []
  while (reader.pos < bytes.length) {
    if (fields.length === maxFields) throw invalid(`a message has more than ${maxFields} fields`)
    const start = reader.pos
    const field = readField(reader)
    if (reader.pos > bytes.length) throw invalid('a field is cut off')
    fields.push({ ...field, raw: bytes.subarray(start, reader.pos) })
  }
  return fields
}

/** Reads on even where the message ends within the field: then the position passes the end. */
function readField(reader: PbfReader): Omit<WireField, 'raw'> {
  const number = guarded(() => reader.nextField())
  if (number === 0) throw invalid('a field has the number 0')
  switch (reader.type) {
    case VARINT:
      return { number, payload: EMPTY, integer: readInteger(reader) }
    case BYTES:
      return { number, payload: guarded(() => reader.readBytes()), integer: 0 }
    case FIXED32:
    case FIXED64:
      reader.skip(reader.type)
      return { number, payload: EMPTY, integer: 0 }
    default:
      throw invalid(`a field has the wire type ${reader.type}`)
  }
}

const EMPTY = new Uint8Array(0)

function readInteger(reader: PbfReader): number {
  return guarded(() => reader.readVarint(true))
}

/** pbf throws where a varint has more than ten bytes. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw invalid('a varint is too long', cause)
  }
}

/** The numbers of a repeated integer field, whether packed or not. */
export function integersOf(fields: readonly WireField[], number: number): number[] {
  const integers: number[] = []
  for (const field of fields) {
    if (field.number !== number) continue
    if (field.raw.length > 0 && (field.raw[0]! & 7) === VARINT) integers.push(field.integer)
    else {
      const reader = new PbfReader(field.payload)
      while (reader.pos < field.payload.length) integers.push(readInteger(reader))
    }
  }
  return integers
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Every text of a repeated string field. */
export function textsOf(fields: readonly WireField[], number: number): string[] {
  return fields.filter((field) => field.number === number).map(({ payload }) => textOf(payload))
}

function textOf(payload: Uint8Array): string {
  try {
    return decoder.decode(payload)
  } catch (cause) {
    throw invalid('a text is not UTF-8', cause)
  }
}

/** The last text of a field that stands once; empty where it is missing, as protobuf has it. */
export function textIn(fields: readonly WireField[], number: number): string {
  return textOf(payloadIn(fields, number))
}

/** The last payload of a field that stands once; empty where it is missing. */
export function payloadIn(fields: readonly WireField[], number: number): Uint8Array {
  return fields.findLast((field) => field.number === number)?.payload ?? EMPTY
}

/** The last integer of a field that stands once; 0 where it is missing. */
export function integerIn(fields: readonly WireField[], number: number): number {
  return fields.findLast((field) => field.number === number)?.integer ?? 0
}

/** A field of a message to be written. */
export function integerField(number: number, value: number): Uint8Array {
  const writer = new PbfWriter()
  writer.writeVarintField(number, value)
  return writer.finish()
}

export function floatField(number: number, value: number): Uint8Array {
  const writer = new PbfWriter()
  writer.writeFloatField(number, value)
  return writer.finish()
}

export function textField(number: number, value: string): Uint8Array {
  return bytesField(number, utf8ToBytes(value))
}

export function bytesField(number: number, value: Uint8Array): Uint8Array {
  return concatBytes(bytesHeader(number, value.length), value)
}

/** What stands before the `length` bytes of a length-delimited field. */
export function bytesHeader(number: number, length: number): Uint8Array {
  const writer = new PbfWriter()
  writer.writeVarint(number * 8 + BYTES)
  writer.writeVarint(length)
  return writer.finish()
}

export function invalid(reason: string, cause?: unknown): Problem {
  return new Problem('invalid-file', `not an ONNX model: ${reason}`, { cause })
}
