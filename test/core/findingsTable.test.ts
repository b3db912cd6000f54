import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as arrow from 'apache-arrow'
import fc from 'fast-check'
import { FLAGS } from '../../core/findings.ts'
import { decodeFindings, encodeFindings, type FindingsTable, NO_CLUSTER, NO_SCORE } from '../../core/findingsTable.ts'
import { Problem } from '../../core/problem.ts'

const anyId = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/)

const anyFindings: fc.Arbitrary<FindingsTable> = fc.integer({ min: 1, max: 60 }).chain((length) => {
  const each = { minLength: length, maxLength: length }
  const columns = (values: fc.Arbitrary<number>) =>
    fc
      .uniqueArray(fc.tuple(anyId, fc.array(values, each)), { selector: ([id]) => id, maxLength: 4 })
      .map((entries) => new Map(entries.map(([id, column]) => [id, Int32Array.from(column)])))
  return fc.record(
    {
      flags: fc.array(fc.nat(2 ** FLAGS.length - 1), each).map((flags) => Uint32Array.from(flags)),
      scores: columns(fc.oneof(fc.integer(), fc.constant(NO_SCORE))),
      clusters: columns(fc.oneof(fc.nat(length - 1), fc.constant(NO_CLUSTER))),
    },
    { noNullPrototype: true },
  )
})

function table(columns: { [name: string]: arrow.Vector }): Uint8Array {
  return arrow.tableToIPC(new arrow.Table(columns), 'file')
}

function refuses(bytes: Uint8Array, sampleCount: number, detail: RegExp): void {
  assert.throws(
    () => decodeFindings(bytes, sampleCount),
    (error) => error instanceof Problem && error.code === 'invalid-document' && detail.test(error.detail),
  )
}

suite('findings table', () => {
  test('law: a table comes back from its bytes', () => {
    fc.assert(
      fc.property(anyFindings, (findings) => {
        assert.deepEqual(decodeFindings(encodeFindings(findings), findings.flags.length), findings)
      }),
    )
  })

  test('law: a table comes back from a view of larger memory, which Node’s buffers are', () => {
    fc.assert(
      fc.property(anyFindings, fc.nat(64), (findings, at) => {
        const bytes = encodeFindings(findings)
        const view = Buffer.alloc(at + bytes.length, 0xff).subarray(at)
        view.set(bytes)
        assert.deepEqual(decodeFindings(view, findings.flags.length), findings)
      }),
    )
  })

  test('law: the same findings give the same bytes, in whatever order the detectors ran', () => {
    fc.assert(
      fc.property(anyFindings, (findings) => {
        const turned = {
          ...findings,
          scores: new Map([...findings.scores].toReversed()),
          clusters: new Map([...findings.clusters].toReversed()),
        }
        assert.deepEqual(encodeFindings(turned), encodeFindings(findings))
      }),
    )
  })

  test('law: apache-arrow reads the table as we do', () => {
    fc.assert(
      fc.property(anyFindings, (findings) => {
        const read = arrow.tableFromIPC(encodeFindings(findings))
        assert.deepEqual(read.getChild('flags')?.toArray(), findings.flags)
        for (const [id, scores] of findings.scores)
          assert.deepEqual(
            [...read.getChild(`score.${id}`)!],
            Array.from(scores, (score) => (score === NO_SCORE ? null : score)),
          )
        for (const [id, clusters] of findings.clusters)
          assert.deepEqual(
            [...read.getChild(`cluster.${id}`)!],
            Array.from(clusters, (kept) => (kept === NO_CLUSTER ? null : kept)),
          )
      }),
    )
  })

  test('a table of several record batches is one table', () => {
    const flags = Uint32Array.from({ length: 70_000 }, (_, i) => i % 4)
    const scores = new Map([['outlier', Int32Array.from(flags, (_, i) => (i % 3 === 0 ? NO_SCORE : i))]])
    const findings = { flags, scores, clusters: new Map<string, Int32Array>() }
    assert.deepEqual(decodeFindings(encodeFindings(findings), flags.length), findings)
  })

  test('law: bytes that were changed or cut are refused or read as a table of the same size, never a fault', () => {
    const bytes = encodeFindings({
      flags: Uint32Array.of(1, 2, 3),
      scores: new Map([['outlier', Int32Array.of(5, NO_SCORE, 7)]]),
      clusters: new Map([['near_duplicate', Int32Array.of(0, 0, NO_CLUSTER)]]),
    })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const broken = cut ? bytes.subarray(0, at) : bytes.with(at, value)
        try {
          assert.equal(decodeFindings(broken, 3).flags.length, 3)
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === 'invalid-document', String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a table of another shape is refused', () => {
    const flags = arrow.makeVector(Uint32Array.of(0, 1))
    const ints = arrow.makeVector(Int32Array.of(0, 1))
    assert.equal(decodeFindings(table({ flags }), 2).flags.length, 2)
    refuses(new Uint8Array(0), 2, /begin/)
    refuses(new TextEncoder().encode('not an Arrow file at all'), 2, /begin/)
    refuses(table({ flags }), 3, /2 rows; the index has 3/)
    refuses(table({ other: ints }), 2, /first column/)
    refuses(table({ flags: ints }), 2, /"flags" is int32/)
    refuses(table({ flags, 'score.a': flags }), 2, /"score.a" is uint32/)
    refuses(table({ flags, 'score.a': arrow.makeVector(Float32Array.of(0, 1)) }), 2, /32-bit integers/)
    refuses(table({ flags: arrow.vectorFromArray(['a', 'b']) }), 2, /32-bit integers/)
    refuses(table({ flags, notes: ints }), 2, /"notes" has no place/)
    refuses(table({ flags, 'score.A': ints }), 2, /"score.A" has no place/)
    refuses(table({ flags, 'cluster.a': ints, 'score.a': ints }), 2, /"score.a" has no place/)
    refuses(table({ flags, 'cluster.a': arrow.makeVector(Int32Array.of(0, 2)) }), 2, /out of range/)
    refuses(table({ flags, 'score.a': arrow.makeVector(Int32Array.of(0, NO_SCORE)) }), 2, /out of range/)
    refuses(table({ flags: arrow.makeVector(Uint32Array.of(0, 2 ** FLAGS.length)) }), 2, /flags that are not known/)
    refuses(table({ flags: arrow.vectorFromArray([1, null], new arrow.Uint32()) }), 2, /nulls/)
  })

  test('columns of different lengths are not written', () => {
    assert.throws(
      () => encodeFindings({ flags: new Uint32Array(2), scores: new Map([['a', new Int32Array(3)]]), clusters: new Map() }),
      RangeError,
    )
  })
})
