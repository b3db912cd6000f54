/**
 * The names of a struct's fields in canonical order, worked out once for all structs that list the same names in the same order:
 * rows come by the million and nearly all of them have the shape of the row before.
 *
 * Shapes form a trie over names in the struct's own order. It is a cache: what it holds never changes an answer.
 */
import { compareBytes, concatBytes, utf8ToBytes } from '../bytes.ts'
import { Problem } from '../problem.ts'

export interface NamedField {
  name: string
  /** u32 big-endian length of the name in bytes, then the name in UTF-8. */
  encodedName: Uint8Array
}

interface Shape {
  next: Map<string, Shape>
  /** Set on the first visit of a struct that ends here. */
  sorted: NamedField[] | null
}

/** Data of ever new names must not fill the memory: past so many shapes the cache starts anew. */
const MAX_SHAPES = 16_384

let root: Shape = { next: new Map(), sorted: null }
let shapeCount = 0

/** The struct's fields sorted by the bytes of their UTF-8 names. Throws `invalid-sample` for a name with half a surrogate pair. */
export function shapeOf(struct: object): NamedField[] {
  const names = Object.keys(struct)
  let shape = root
  for (let i = 0; i < names.length; i++) shape = shape.next.get(names[i]!) ?? addShape(shape, names[i]!)
  return (shape.sorted ??= names.map(encodeName).sort((a, b) => compareBytes(a.encodedName.subarray(4), b.encodedName.subarray(4))))
}

function addShape(parent: Shape, name: string): Shape {
  if (++shapeCount > MAX_SHAPES) {
    // The walk under way goes on in the old trie, which is collected after it.
    root = { next: new Map(), sorted: null }
    shapeCount = 1
  }
  const shape: Shape = { next: new Map(), sorted: null }
  parent.next.set(name, shape)
  return shape
}

function encodeName(name: string): NamedField {
  if (!name.isWellFormed()) throw new Problem('invalid-sample', `the field name ${JSON.stringify(name)} has half a surrogate pair`)
  const bytes = utf8ToBytes(name)
  const lengthBytes = new Uint8Array(4)
  new DataView(lengthBytes.buffer).setUint32(0, bytes.length)
  return { name, encodedName: concatBytes(lengthBytes, bytes) }
}
