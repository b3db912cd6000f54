/** Croissant 1.1 from documents alone. Whether its own client reads it is tested in test/clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { CROISSANT_CONTEXT, CROISSANT_VERSION, idPart } from '../../core/croissant/context.ts'
import { type CroissantSubject, croissantOf, encodeCroissant } from '../../core/croissant/croissant.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import type { FileObject, Manifest } from '../../core/documents/manifest.ts'
import { encodeExport } from '../../core/hub/exportDocument.ts'
import { commitIdOf } from '../../core/hub/exportDocument.ts'
import type { Schema } from '../../core/samples/schema.ts'
import { testIndex, testManifest, testReport, testSigner, textCid } from '../support/documents.ts'
import { anyName, anySchema } from './arbitraries.ts'

const REGISTRY = { url: 'https://registry.test', logOrigin: 'log.test' }
const [ALICE, INDEXER, VERIFIER] = [testSigner(1), testSigner(2), testSigner(3)]
const AT = '2026-11-20T06:00:00.000Z'

const Reference = z.strictObject({ '@id': z.string() })
const DataType = z.union([z.string(), z.array(z.string())])
const Source = z.strictObject({
  fileObject: Reference,
  extract: z.strictObject({ column: z.string() }),
  transform: z.strictObject({ jsonPath: z.string() }).optional(),
})
const FieldHead = { '@type': z.literal('cr:Field'), '@id': z.string(), name: z.string() }
const Shape = { isArray: z.literal(true).optional(), arrayShape: z.string().optional() }
type Field = z.infer<typeof Leaf> | { '@id': string; name: string; subField: Field[] }
const Leaf = z.strictObject({ ...FieldHead, dataType: DataType, source: Source, ...Shape })
const Field: z.ZodType<Field> = z.lazy(() =>
  z.union([
    Leaf,
    z.strictObject({ ...FieldHead, ...Shape, subField: z.array(Field).min(1) }),
    z.strictObject({
      ...FieldHead,
      dataType: DataType,
      value: z.string(),
      description: z.string().optional(),
      references: z.unknown().optional(),
    }),
  ]),
) as z.ZodType<Field>

/** What every Croissant document of ours looks like. */
const Croissant = z.looseObject({
  '@context': z.unknown().refine((context) => context === CROISSANT_CONTEXT),
  '@type': z.literal('sc:Dataset'),
  name: z.string(),
  conformsTo: z.literal(CROISSANT_VERSION),
  description: z.string().min(1),
  license: z.string(),
  url: z.url(),
  creator: z.strictObject({ '@type': z.literal('Organization'), name: z.string(), identifier: z.string() }),
  datePublished: z.iso.datetime(),
  version: z.string().regex(/^\d+\.0\.0$/),
  distribution: z.array(
    z.strictObject({
      '@type': z.literal('cr:FileObject'),
      '@id': z.string(),
      name: z.string(),
      description: z.string().optional(),
      contentUrl: z.url(),
      contentSize: z.string().regex(/^\d+ B$/),
      encodingFormat: z.union([z.string(), z.array(z.string())]),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      sameAs: z.string().startsWith('ipfs://'),
    }),
  ),
  recordSet: z.array(
    z.union([
      z.strictObject({
        '@type': z.literal('cr:RecordSet'),
        '@id': z.string(),
        name: z.string(),
        description: z.string(),
        'prov:wasGeneratedBy': Reference.optional(),
        field: z.array(Field).min(1),
      }),
      z.looseObject({
        '@id': z.literal('splits'),
        dataType: z.literal('cr:Split'),
        data: z.array(z.record(z.string(), z.string())).min(1),
      }),
    ]),
  ),
})

const signatures = (signer: { did: string }, logIndex: number | null) => [{ author: signer.did, createdAt: AT, logIndex }]

function file(path: string, i = 0): FileObject {
  return { path, cid: textCid(path), sizeBytes: i, sha256: i.toString(16).padStart(64, '0') }
}

interface Described {
  paths: string[]
  schema?: Schema
  /** Paths of generated files. */
  generated?: string[]
  manifest?: Partial<Manifest>
  skipped?: string[]
}

function subjectOf({
  paths,
  schema = [{ name: 'text', type: { type: 'utf8' } }],
  generated,
  manifest: fields = {},
  skipped = [],
}: Described) {
  const files = [...new Set([...paths, ...skipped])].sort((a, b) => (a < b ? -1 : 1)).map(file)
  const sizeBytes = files.reduce((sum, one) => sum + one.sizeBytes, 0)
  const manifest = testManifest({ name: 'acme/set', author: ALICE.did, files, sizeBytes, ...fields })
  const indexed = paths.map((path, i) => ({ path, firstSample: i, sampleCount: 1 }))
  const index = encodeDocument('index', {
    ...testIndex(manifest.cid).document,
    schema,
    files: indexed,
    skippedFiles: skipped,
    sampleCount: paths.length,
  })
  const report = testReport(index.cid, textCid('recipe'))
  const document = {
    kind: 'export' as const,
    version: 1 as const,
    manifest: manifest.cid,
    subject: report.cid,
    selection: textCid('selection'),
    files: (generated ?? []).map((path) => file(path, 7)),
  }
  const subject: CroissantSubject = {
    registry: REGISTRY,
    number: 3,
    manifest: { ...manifest, signatures: signatures(ALICE, 4) },
    index: { ...index, signatures: signatures(INDEXER, 5) },
    verified:
      generated === undefined
        ? null
        : { report: { ...report, signatures: signatures(VERIFIER, null) }, export: { cid: encodeExport(document).cid, document } },
  }
  return { subject, files, document, exportCid: encodeExport(document).cid }
}

const parsed = (described: Described) => Croissant.parse(croissantOf(subjectOf(described).subject))
const fieldsIn = (fields: readonly Field[]): Field[] => fields.flatMap((one) => [one, ...('subField' in one ? fieldsIn(one.subField) : [])])
const setsOf = (described: Described) => parsed(described).recordSet.map((set) => set['@id'])

test('a version has its rows as published and those that pass, by split, each with the file and commit that they come from', () => {
  const described = {
    paths: ['data/test.jsonl', 'data/train.jsonl'],
    skipped: ['README.md'],
    generated: [
      'parquet/test-00000-of-00001.parquet',
      'parquet/train-00000-of-00002.parquet',
      'parquet/train-00001-of-00002.parquet',
      'verified/train-00000-of-00001.parquet',
    ],
  }
  const { subject, exportCid } = subjectOf(described)
  const croissant = Croissant.parse(croissantOf(subject))
  assert.deepEqual(setsOf(described), ['splits', 'default/test', 'default/train/00000', 'default/train/00001', 'verified'])
  assert.deepEqual(croissant.recordSet.at(-1), {
    '@type': 'cr:RecordSet',
    '@id': 'verified',
    name: 'verified',
    description: `The rows that pass the policy "verified" under the report ipfs://${subject.verified!.report.cid.toString()}: the selection ipfs://${textCid('selection').toString()}`,
    'prov:wasGeneratedBy': { '@id': `ipfs://${subject.verified!.report.cid.toString()}#activity` },
    field: [
      {
        '@type': 'cr:Field',
        '@id': 'verified/text',
        name: 'text',
        dataType: 'sc:Text',
        source: { fileObject: { '@id': 'file/verified/train-00000-of-00001.parquet' }, extract: { column: 'text' } },
      },
      {
        '@type': 'cr:Field',
        '@id': 'verified/split',
        name: 'split',
        dataType: 'sc:Text',
        value: 'train',
        references: { field: { '@id': 'splits/name' } },
      },
      {
        '@type': 'cr:Field',
        '@id': 'verified/verdict',
        name: 'verdict',
        dataType: 'sc:Text',
        value: 'passes',
        description: 'The verdict on this row',
      },
    ],
  })
  assert.deepEqual(croissant.distribution[0], {
    '@type': 'cr:FileObject',
    '@id': 'file/README.md',
    name: 'README.md',
    description: 'Holds no rows',
    contentUrl: `https://registry.test/datasets/acme/set/resolve/${commitIdOf(subject.manifest.cid)}/README.md`,
    contentSize: '0 B',
    encodingFormat: 'text/markdown',
    sha256: '0'.repeat(64),
    sameAs: `ipfs://${textCid('README.md').toString()}`,
  })
  const last = croissant.distribution.at(-1)!
  assert.equal(
    last.contentUrl,
    `https://registry.test/datasets/acme/set/resolve/${commitIdOf(exportCid)}/verified/train-00000-of-00001.parquet`,
  )
})

test('before a verdict there is a record set of Parquet alone: of other files clients guess the types', () => {
  assert.deepEqual(setsOf({ paths: ['rows.parquet'] }), ['default'])
  for (const path of ['train.csv', 'rows.jsonl', 'rows.jsonl.gz', 'rows.txt']) {
    assert.deepEqual(setsOf({ paths: [path] }), [])
    assert.match(parsed({ paths: [path] }).description, /not verified yet.*\n\n.*guess the types/)
  }
})

test('compressed files and plain text have record sets once they stand as Parquet', () => {
  assert.deepEqual(
    setsOf({ paths: ['rows.txt'], generated: ['data/train-00000-of-00001.parquet', 'verified/train-00000-of-00001.parquet'] }),
    ['default', 'verified'],
  )
})

test('Parquet as published is its own default; a folder called verified that was published is not taken for ours', () => {
  const described = { paths: ['verified/train.parquet'], generated: ['verified-1/train-00000-of-00001.parquet'] }
  const sets = parsed(described).recordSet
  assert.deepEqual(setsOf(described), ['splits', 'default', 'verified'])
  const text = JSON.stringify(sets)
  assert.match(text, /"default\/text".*"file\/verified\/train\.parquet"/)
  assert.match(text, /"verified\/text".*"file\/verified-1\/train-00000-of-00001\.parquet"/)
})

test('more fields than clients read are not written, and the document says so', () => {
  const paths = Array.from({ length: 10_001 }, (_, i) => `part-${i}.parquet`)
  const croissant = parsed({ paths })
  assert.equal(croissant.distribution.length, paths.length)
  assert.deepEqual(croissant.recordSet, [])
  assert.match(croissant.description, /10001 fields are more/)
})

test('nested columns have a field for each value, and types that Croissant has not are named', () => {
  const schema: Schema = [
    { name: 'tags', type: { type: 'list', items: { type: 'utf8' } } },
    { name: 'grid', type: { type: 'list', items: { type: 'list', items: { type: 'int64' } } } },
    {
      name: 'about',
      type: {
        type: 'struct',
        fields: [
          { name: 'n', type: { type: 'int64' } },
          { name: "it's", type: { type: 'utf8' } },
          { name: 'raw', type: { type: 'binary' } },
        ],
      },
    },
    { name: 'raw', type: { type: 'binary' } },
    {
      name: 'image',
      type: {
        type: 'struct',
        fields: [
          { name: 'bytes', type: { type: 'binary' } },
          { name: 'path', type: { type: 'utf8' } },
        ],
      },
    },
    { name: 'split', type: { type: 'utf8' } },
  ]
  const croissant = parsed({ paths: ['train.parquet'], schema })
  const source = (column: string) => ({ fileObject: { '@id': 'file/train.parquet' }, extract: { column } })
  const set = croissant.recordSet.find((one) => one['@id'] === 'default')!
  assert.deepEqual(set['field'], [
    {
      '@type': 'cr:Field',
      '@id': 'default/tags',
      name: 'tags',
      dataType: 'sc:Text',
      isArray: true,
      arrayShape: '-1',
      source: source('tags'),
    },
    {
      '@type': 'cr:Field',
      '@id': 'default/grid',
      name: 'grid',
      dataType: 'sc:Integer',
      isArray: true,
      arrayShape: '-1,-1',
      source: source('grid'),
    },
    {
      '@type': 'cr:Field',
      '@id': 'default/about',
      name: 'about',
      subField: [
        {
          '@type': 'cr:Field',
          '@id': 'default/about/n',
          name: 'n',
          dataType: 'cr:Int64',
          source: { ...source('about'), transform: { jsonPath: "$.'n'" } },
        },
      ],
    },
    {
      '@type': 'cr:Field',
      '@id': 'default/image',
      name: 'image',
      dataType: 'sc:ImageObject',
      source: { ...source('image'), transform: { jsonPath: "$.'bytes'" } },
    },
    { '@type': 'cr:Field', '@id': 'default/split', name: 'split', dataType: 'sc:Text', source: source('split') },
    {
      '@type': 'cr:Field',
      '@id': 'default/_split',
      name: '_split',
      dataType: 'sc:Text',
      value: 'train',
      references: { field: { '@id': 'splits/name' } },
    },
  ])
  assert.match(croissant.description, /left out: about\.it's \(utf8\), about\.raw \(binary\), raw \(binary\)\.$/)
})

test('what the contributor declares stands in it, and what nobody said does not', () => {
  const declared = croissantOf(
    subjectOf({
      paths: ['rows.csv'],
      generated: [],
      manifest: {
        license: 'MIT OR Apache-2.0',
        consent: 'asked each of them',
        sources: [{ name: 'Letters', url: 'https://letters.test/', license: 'CC-BY-4.0' }],
        synthetic: { share: 'some', generators: ['model-1'] },
        previous: textCid('before'),
      },
    }).subject,
  )
  assert.equal(declared['license'], 'MIT OR Apache-2.0')
  assert.equal(declared['rai:hasSyntheticData'], true)
  assert.equal(
    declared['rai:dataCollection'],
    "Source: Letters (https://letters.test/, CC-BY-4.0)\nConsent of the people in it, in the contributor's words: asked each of them\nGenerators that the contributor names: model-1",
  )
  assert.deepEqual(declared['prov:wasDerivedFrom'], [
    { '@type': 'prov:Entity', name: 'Letters', url: 'https://letters.test/', license: 'CC-BY-4.0' },
    { '@type': 'prov:Entity', '@id': `ipfs://${textCid('before').toString()}`, name: 'the version before' },
  ])
  const silent = croissantOf(subjectOf({ paths: ['rows.csv'] }).subject)
  assert.equal(silent['license'], 'https://spdx.org/licenses/CC0-1.0')
  for (const key of ['rai:hasSyntheticData', 'rai:dataCollection', 'rai:dataLimitations', 'prov:wasDerivedFrom'])
    assert.ok(!(key in silent), key)
})

test('each activity names its agent, what it used, and the log entry of what it made once there is one', () => {
  const { subject } = subjectOf({ paths: ['rows.csv'], generated: [] })
  const Activity = z.object({
    'prov:label': z.string(),
    'prov:used': z.array(Reference).optional(),
    'prov:wasAssociatedWith': z.array(z.object({ '@id': z.string() })),
    'prov:generated': z.object({ '@id': z.string(), identifier: z.array(z.object({ propertyID: z.string(), value: z.number() })) }),
  })
  const entry = (value: number) => [{ propertyID: 'log entry of log.test', value }]
  const ipfs = (document: { cid: { toString(): string } }) => `ipfs://${document.cid.toString()}`
  const verified = subject.verified!.report
  assert.deepEqual(z.array(Activity).parse(croissantOf(subject)['prov:wasGeneratedBy']), [
    {
      'prov:label': 'publication',
      'prov:wasAssociatedWith': [{ '@id': ALICE.did }],
      'prov:generated': { '@id': ipfs(subject.manifest), identifier: entry(4) },
    },
    {
      'prov:label': 'indexing',
      'prov:used': [{ '@id': ipfs(subject.manifest) }],
      'prov:wasAssociatedWith': [{ '@id': INDEXER.did }],
      'prov:generated': { '@id': ipfs(subject.index!), identifier: entry(5) },
    },
    {
      'prov:label': 'verification',
      'prov:used': [{ '@id': ipfs(subject.index!) }, { '@id': `ipfs://${textCid('recipe').toString()}` }],
      'prov:wasAssociatedWith': [{ '@id': VERIFIER.did }],
      'prov:generated': { '@id': ipfs(verified), identifier: [] },
    },
  ])
})

const anyPath = fc
  .array(
    anyName.map((name) => name.normalize('NFC').replaceAll(/[\p{Cc}\\/]/gu, '')).filter((part) => part !== '' && !/^\.+$/.test(part)),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join('/'))
const anyPaths = fc.uniqueArray(
  fc.tuple(anyPath, fc.constantFrom('.csv', '.jsonl', '.parquet', '.txt', '.csv.gz', '')).map((parts) => parts.join('')),
  { minLength: 1, maxLength: 6 },
)

test('law: every file stands in it once with its SHA-256, every id once and without a space, and every field has a file that is there', () => {
  fc.assert(
    fc.property(anyPaths, anyPaths, anySchema, fc.boolean(), (paths, skipped, schema, isVerified) => {
      fc.pre(schema.length > 0)
      const generated = ['train', 'a.b'].map((split) => `verified/${split}-00000-of-00001.parquet`)
      fc.pre([...paths, ...skipped].every((path) => path !== 'verified' && !path.startsWith('verified/')))
      const described = { paths, skipped: skipped.filter((path) => !paths.includes(path)), schema, ...(isVerified ? { generated } : {}) }
      const { subject, files, document } = subjectOf(described)
      const text = encodeCroissant(croissantOf(subject))
      assert.equal(encodeCroissant(croissantOf(subjectOf(described).subject)), text)
      const croissant = Croissant.parse(croissantOf(subject))
      const all = [...files, ...(isVerified ? document.files : [])]
      assert.deepEqual(
        croissant.distribution.map(({ name, sha256, contentSize }) => [name, sha256, contentSize]),
        all.map(({ path, sha256, sizeBytes }) => [path, sha256, `${sizeBytes} B`]),
      )
      const fields = croissant.recordSet.flatMap((set) => (Array.isArray(set['field']) ? fieldsIn(set['field'] as Field[]) : []))
      const ids = [...croissant.distribution, ...croissant.recordSet, ...fields].map((each) => each['@id'])
      assert.equal(new Set(ids).size, ids.length)
      assert.ok(ids.every((id) => /^[A-Za-z0-9._~/-]+$/.test(id)))
      const fileIds = new Set(croissant.distribution.map((each) => each['@id']))
      const columns = new Set(schema.map(({ name }) => name))
      for (const field of fields)
        if ('source' in field) assert.ok(fileIds.has(field.source.fileObject['@id']) && columns.has(field.source.extract.column))
    }),
    { numRuns: 200 },
  )
})

test('law: different names make different parts of an id', () => {
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      assert.equal(idPart(a) === idPart(b), a === b)
    }),
  )
})
