/** What the face of the Hugging Face Hub is made of: splits, configurations, metadata, object ids. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { type Config, configsBeside } from '../../core/hub/configs.ts'
import { gitBlobId } from '../../core/hub/objectIds.ts'
import { splitOf, splitsOf } from '../../core/hub/splits.ts'
import { type Plain, yamlMapping } from '../../core/hub/yaml.ts'

test('law: git’s id of a blob is the one of its specification', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      assert.equal(gitBlobId(bytes), createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'))
    }),
  )
})

test('a path names its split by a word of its own: the file before its folders, the inner folder before the outer', () => {
  const splits = {
    'train.jsonl': 'train',
    'my-test-2.csv': 'test',
    'data/dev.csv': 'validation',
    'eval/train.csv': 'train',
    'test/a/b.csv': 'test',
    'train/test/b.csv': 'test',
    'data/de.old-00000-of-00002.parquet': 'de.old',
    'latest.csv': 'train',
    'contest/rows.csv': 'train',
    'rows.csv': 'train',
  }
  assert.deepEqual(Object.fromEntries(Object.keys(splits).map((path) => [path, splitOf(path)])), splits)
})

test('the splits of an index hold each sample once', () => {
  const files = [
    { path: 'a/test.csv', firstSample: 0, sampleCount: 3 },
    { path: 'a/train-1.csv', firstSample: 3, sampleCount: 2 },
    { path: 'a/train-2.csv', firstSample: 5, sampleCount: 2 },
    { path: 'b/test.csv', firstSample: 7, sampleCount: 1 },
    { path: 'b/val.csv', firstSample: 8, sampleCount: 0 },
  ]
  assert.deepEqual(splitsOf(files), [
    {
      name: 'test',
      ranges: [
        { from: 0, to: 3 },
        { from: 7, to: 8 },
      ],
      paths: ['a/test.csv', 'b/test.csv'],
    },
    { name: 'train', ranges: [{ from: 3, to: 7 }], paths: ['a/train-1.csv', 'a/train-2.csv'] },
  ])
})

const file = (path: string) => ({ path, firstSample: 0, sampleCount: 1 })
const verified = [{ name: 'train', paths: ['verified/train.parquet'] }]
const VERIFIED: Config = { config_name: 'verified', data_files: [{ split: 'train', path: ['verified/train.parquet'] }] }

test('a few files are named, as patterns that match nothing else; many by folder and ending', () => {
  const configs = (paths: string[]) =>
    configsBeside({ own: [], index: { files: paths.map(file), skippedFiles: [] }, whole: null, verified: [] })
  assert.deepEqual(configs(['a[1]*?.parquet']), [
    { config_name: 'default', data_files: [{ split: 'train', path: ['a[[]1][*][?].parquet'] }] },
  ])
  assert.deepEqual(configs(Array.from({ length: 100 }, (_, i) => `x[${i % 2}/part-${i}.jsonl.gz`))[0]!['data_files'], [
    { split: 'train', path: ['x[[]0/*.jsonl.gz', 'x[[]1/*.jsonl.gz'] },
  ])
})

test('verified stands beside configurations of Parquet alone; the rows of other files are the default as Parquet', () => {
  const index = { files: [file('rows.csv')], skippedFiles: ['LICENSE'] }
  const whole = [{ name: 'train', paths: ['data/train.parquet'] }]
  assert.deepEqual(configsBeside({ own: [], index, whole, verified }), [
    { config_name: 'default', data_files: [{ split: 'train', path: ['data/train.parquet'] }] },
    VERIFIED,
  ])
  const own: Config[] = [{ config_name: 'en', data_files: 'rows.csv' }]
  assert.deepEqual(configsBeside({ own, index, whole, verified }), own)
  const images = { files: [file('metadata.csv')], skippedFiles: ['img/1.png', '.hidden/a.png'] }
  assert.deepEqual(configsBeside({ own: [], index: images, whole, verified }), [
    { config_name: 'default', data_files: [{ split: 'train', path: ['metadata.csv', 'img/1.png'] }] },
  ])
})

test('a publisher’s configurations stay, the only one the default, and what has no files of its own gets those that were published', () => {
  const index = { files: [file('a.parquet')], skippedFiles: [] }
  assert.deepEqual(configsBeside({ own: [{ config_name: 'en' }], index, whole: null, verified }), [
    { config_name: 'en', data_files: [{ split: 'train', path: ['a.parquet'] }], default: true },
    VERIFIED,
  ])
  const own: Config[] = [
    { config_name: 'verified', data_files: 'a' },
    { config_name: 'b', data_dir: 'b' },
  ]
  assert.deepEqual(configsBeside({ own, index, whole: null, verified }), [...own, { ...VERIFIED, config_name: 'assay-verified' }])
})

test('law: metadata reads back from YAML as it was, and is printable ASCII', () => {
  const plain = fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value')),
      fc.dictionary(
        fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { noNullPrototype: true },
      ),
    ),
  })).value
  fc.assert(
    fc.property(plain, (value) => {
      const text = yamlMapping({ value })
      assert.match(text, /^[ -~\n]*$/)
      assert.deepEqual(parse(text), { value })
      assert.deepEqual(parse(text, { version: '1.1' }), { value })
    }),
  )
})
