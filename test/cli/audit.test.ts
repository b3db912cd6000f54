import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type AuditOptions, auditRun } from '../../core/audit.ts'
import type { AuditSource } from '../../core/audit/source.ts'
import { type AuditStep, LAWS, type StepName, conclude } from '../../core/audit/step.ts'
import type { CID } from '../../core/cid.ts'
import { parseDocument } from '../../core/documents/document.ts'
import { Problem } from '../../core/problem.ts'
import { type AuditedRun, type Forgery, SIGNERS, auditedRun } from './auditedRun.ts'

/** Dice that fall alike in every test. */
function dice(): (below: number) => number {
  let state = 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

async function stepsOf(audited: AuditedRun, alter: Partial<AuditSource> = {}, options: Partial<AuditOptions> = {}): Promise<AuditStep[]> {
  const steps: AuditStep[] = []
  const source = { ...audited.source, ...alter }
  for await (const step of auditRun(source, audited.trust, { run: audited.run, samples: 40, random: dice(), ...options })) steps.push(step)
  return steps
}

function namesWith(steps: readonly AuditStep[], status: AuditStep['status']): StepName[] {
  return [...new Set(steps.filter((step) => step.status === status).map(({ name }) => name))]
}

/** Flips the lowest bit of one byte, wherever `at` falls. */
function flipByte(bytes: Uint8Array, at = bytes.length >> 1): Uint8Array {
  const altered = bytes.slice()
  altered[at % bytes.length]! ^= 1
  return altered
}

const untouched = await auditedRun()

describe('an audit of a run that stands', () => {
  test('passes every law, each at least once, in the order of the list for each subject', async () => {
    const steps = await stepsOf(untouched, {}, { remembered: untouched.checkpoints.before })
    assert.deepEqual(
      steps.filter(({ status }) => status !== 'passed'),
      [],
    )
    assert.deepEqual([...new Set(steps.map(({ name }) => name))].sort(), Object.keys(LAWS).sort())
    assert.equal(conclude(steps), 'passed')
  })

  test('of a run that goes on needs no earlier document', async () => {
    const steps = await stepsOf(untouched, {}, { run: untouched.cids.started })
    assert.equal(conclude(steps), 'passed')
    assert.ok(!steps.some(({ name }) => name === 'run-started'))
  })

  test('audits what two consumptions share once', async () => {
    const twice = await auditedRun({
      finished: (run) => ({ ...run, status: 'started', consumed: [run.consumed[0]!, { ...run.consumed[0]!, seed: '8' }] }),
    })
    const steps = await stepsOf(twice)
    assert.equal(conclude(steps), 'passed')
    assert.equal(steps.filter(({ name }) => name === 'files').length, 1)
    assert.equal(steps.filter(({ name }) => name === 'samples').length, 2)
  })
})

describe('one byte altered on its way to the auditor', () => {
  const alterDocument = (cid: CID, at?: number): Partial<AuditSource> => ({
    document: async (asked) => {
      const bytes = await untouched.source.document(asked)
      return asked.equals(cid) ? flipByte(bytes, at) : bytes
    },
  })
  const alterEnvelope = (cid: CID, at?: number): Partial<AuditSource> => ({
    envelopes: async (asked) => {
      const envelopes = await untouched.source.envelopes(asked)
      return asked.equals(cid) ? envelopes.map(({ envelope, logIndex }) => ({ envelope: flipByte(envelope, at), logIndex })) : envelopes
    },
  })
  const alterBlock = (matches: (cid: CID) => boolean): Partial<AuditSource> => ({
    block: async (asked) => {
      const bytes = await untouched.source.block(asked)
      return matches(asked) ? flipByte(bytes) : bytes
    },
  })
  const { cids } = untouched
  const leafOfBigFile = [...untouched.blocks].find(([, bytes]) => bytes.length === 1024 * 1024)![0]

  const cases: [what: string, alter: Partial<AuditSource>, fails: StepName][] = [
    ['the run', alterDocument(untouched.run), 'run-signature'],
    ['the run’s envelope', alterEnvelope(untouched.run), 'run-signature'],
    ['the document that started the run', alterDocument(cids.started), 'run-started'],
    ['the envelope of its start', alterEnvelope(cids.started), 'run-started'],
    ['the checkpoint', { checkpoint: async () => flipByte(untouched.checkpoints.now) }, 'checkpoint-signature'],
    ['a tile of the log', { logTile: async (...at) => flipByte(await untouched.source.logTile(...at)) }, 'log-consistency'],
    ['the selection', alterDocument(cids.selection), 'selection-document'],
    ['the selection’s bitmap', alterBlock((cid) => cid.equals(cids.bitmap)), 'selection-document'],
    ['the index', alterDocument(cids.index), 'index-signature'],
    ['the index’s envelope', alterEnvelope(cids.index), 'index-signature'],
    ['the report', alterDocument(cids.report), 'report-signature'],
    ['the report’s envelope', alterEnvelope(cids.report), 'report-signature'],
    ['the findings table', alterBlock((cid) => cid.equals(cids.findings)), 'findings-table'],
    ['the manifest', alterDocument(cids.manifest), 'manifest-signature'],
    ['the manifest’s envelope', alterEnvelope(cids.manifest), 'manifest-signature'],
    ['a block of a file', alterBlock((cid) => cid.toString() === leafOfBigFile), 'files'],
    ['the inner node of a file', alterBlock((cid) => cid.equals(cids.bigFile)), 'files'],
    ['a row', { row: async (index, number) => ({ ...(await untouched.source.row(index, number)), label: 'maybe' }) }, 'samples'],
  ]
  for (const [what, alter, fails] of cases) {
    test(`in ${what} breaks ${fails} and no other law`, async () => {
      const steps = await stepsOf(untouched, alter)
      assert.deepEqual(namesWith(steps, 'failed'), [fails])
      assert.equal(conclude(steps), 'failed')
    })
  }

  test('in a tile of the sample tree breaks sample-tree and no other law', async () => {
    const level0 = parseDocument('index', await untouched.source.document(cids.index)).document.tree.levels[0]!
    assert.deepEqual(
      namesWith(
        await stepsOf(
          untouched,
          alterBlock((cid) => cid.equals(level0)),
        ),
        'failed',
      ),
      ['sample-tree'],
    )
  })

  test('law: no byte of a document or an envelope can be altered unseen', async () => {
    const documents = [untouched.run, cids.started, cids.selection, cids.index, cids.report, cids.manifest]
    const signed = documents.filter((cid) => !cid.equals(cids.selection))
    const alterations = fc.oneof(
      fc.tuple(fc.constantFrom(...documents), fc.nat()).map(([cid, at]) => alterDocument(cid, at)),
      fc.tuple(fc.constantFrom(...signed), fc.nat()).map(([cid, at]) => alterEnvelope(cid, at)),
    )
    await fc.assert(
      fc.asyncProperty(alterations, async (alter) => {
        assert.equal(conclude(await stepsOf(untouched, alter)), 'failed')
      }),
      { numRuns: 30 },
    )
  })
})

describe('a lie that is signed', () => {
  const cases: [what: string, forgery: Forgery, fails: StepName][] = [
    ['a bitmap with another sample', { bitmap: (bitmap) => (bitmap.set(0, true), bitmap.set(1, false)) }, 'selection-recomputed'],
    ['a bitmap with one sample more', { bitmap: (bitmap) => bitmap.set(0, true) }, 'selection-document'],
    ['a policy that was not applied', { selection: (s) => ({ ...s, policy: { name: 'none', exclude: [] } }) }, 'selection-recomputed'],
    [
      'a report with another count of scores',
      { report: (r) => ({ ...r, detectors: [{ ...r.detectors[0]!, scoredSamples: 7 }] }) },
      'findings-table',
    ],
    ['a tree over other rows', { indexedRows: (rows) => rows.map((row) => ({ ...row, label: 'x' })) }, 'samples'],
    ['a tree with another root', { index: (i) => ({ ...i, tree: { ...i.tree, rootHash: '0'.repeat(64) } }) }, 'sample-tree'],
    [
      'a file with another SHA-256',
      { manifest: (m) => ({ ...m, files: m.files.map((f) => ({ ...f, sha256: '0'.repeat(64) })) }) },
      'files',
    ],
    ['a root that is another directory', { manifest: (m) => ({ ...m, root: m.files[0]!.cid }) }, 'files'],
    [
      'a run that closes with another seed',
      { finished: (run) => ({ ...run, consumed: [{ ...run.consumed[0]!, seed: '8' }] }) },
      'run-started',
    ],
    [
      'a run with more steps than there are',
      { finished: (run) => ({ ...run, consumed: [{ ...run.consumed[0]!, steps: 10_000 }] }) },
      'samples',
    ],
  ]
  for (const [what, forgery, fails] of cases) {
    test(`${what} breaks ${fails} and no other law`, async () => {
      assert.deepEqual(namesWith(await stepsOf(await auditedRun(forgery)), 'failed'), [fails])
    })
  }

  test('a run with another seed than its trainer signed does not pass for it', async () => {
    const other = await auditedRun({ finished: (run) => ({ ...run, consumed: [{ ...run.consumed[0]!, seed: '8' }] }) })
    const steps = await stepsOf(untouched, {
      document: (cid) => (cid.equals(untouched.run) ? other.source.document(other.run) : untouched.source.document(cid)),
    })
    assert.deepEqual(namesWith(steps, 'failed'), ['run-signature'])
  })
})

describe('trust', () => {
  test('a checkpoint by another key breaks checkpoint-signature; what is logged is then unknown', async () => {
    const steps = await stepsOf(await auditedRun({ logSigner: SIGNERS.stranger }))
    assert.deepEqual(namesWith(steps, 'failed'), ['checkpoint-signature'])
    assert.deepEqual(namesWith(steps, 'unknown').sort(), [
      'index-logged',
      'log-consistency',
      'manifest-logged',
      'report-logged',
      'run-logged',
    ])
  })

  test('a report by a verifier who is not trusted breaks report-signature', async () => {
    const audited = await auditedRun()
    const steps = await stepsOf({ ...audited, trust: { ...audited.trust, verifiers: [SIGNERS.stranger.did] } })
    assert.deepEqual(namesWith(steps, 'failed'), ['report-signature'])
    assert.deepEqual(namesWith(steps, 'unknown').sort(), ['findings-table', 'report-logged', 'selection-recomputed'])
  })

  test('a log that forgot what was seen before breaks log-consistency', async () => {
    const steps = await stepsOf(
      untouched,
      { checkpoint: async () => untouched.checkpoints.before },
      { remembered: untouched.checkpoints.now },
    )
    assert.deepEqual(namesWith(steps, 'failed'), ['log-consistency'])
  })

  test('a log that was rewritten breaks log-consistency', async () => {
    const other = await auditedRun({ finished: (run) => ({ ...run, consumed: [{ ...run.consumed[0]!, steps: 3 }] }) })
    const steps = await stepsOf(untouched, {}, { remembered: other.checkpoints.now })
    assert.deepEqual(namesWith(steps, 'failed'), ['log-consistency'])
  })

  test('an entry at another place than the source says breaks the law of that document alone', async () => {
    const steps = await stepsOf(untouched, {
      envelopes: async (cid) =>
        (await untouched.source.envelopes(cid)).map((logged) => (cid.equals(untouched.cids.report) ? { ...logged, logIndex: 0 } : logged)),
    })
    assert.deepEqual(namesWith(steps, 'failed'), ['report-logged'])
  })
})

describe('what cannot be told', () => {
  test('a document that waits for the log is unknown, not broken', async () => {
    const steps = await stepsOf(await auditedRun({ unlogged: 'run' }))
    assert.deepEqual(namesWith(steps, 'unknown'), ['run-logged'])
    assert.equal(conclude(steps), 'unknown')
  })

  test('a source that does not answer leaves every law unknown', async () => {
    const silent = async (): Promise<never> => {
      throw new Problem('unavailable', 'nobody is there')
    }
    const steps = await stepsOf(untouched, {
      document: silent,
      envelopes: silent,
      block: silent,
      checkpoint: silent,
      logTile: silent,
      row: silent,
    })
    assert.deepEqual(namesWith(steps, 'failed'), [])
    assert.deepEqual(namesWith(steps, 'passed'), [])
    assert.equal(conclude(steps), 'unknown')
  })

  test('a fault of the source is no verdict: it passes through', async () => {
    const broken = async (): Promise<never> => {
      throw new TypeError('a bug')
    }
    await assert.rejects(stepsOf(untouched, { row: broken }), TypeError)
  })

  test('a file with a missing block is not whole', async () => {
    const steps = await stepsOf(untouched, {
      block: async (cid) => {
        if (cid.equals(untouched.cids.bigFile)) throw new Problem('block-missing', 'it is not here')
        return untouched.source.block(cid)
      },
    })
    assert.deepEqual(namesWith(steps, 'failed'), ['files'])
  })
})
