/** The thread of detectorThread.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { comparedOf } from './compared.ts'
import { createCorpus } from './corpus.ts'
import { detectorsOf, runDetector } from './detectorRun.ts'
import type { DetectorReply, DetectorSetup } from './detectorThread.ts'
import type { DetectorAbstained, DetectorResult } from './detectors/detector.ts'
import { DETECTORS } from './recipe.ts'

if (parentPort === null) throw new Error('detectorWorker.ts runs as a worker thread')
const port = parentPort
const { columns, compared, withoutReferences, detectors } = workerData as DetectorSetup // what detectorThread.ts hands over
const reply = (message: DetectorReply) => port.postMessage(message)
/** The thread is ended from outside: nothing aborts it from within. */
const { signal } = new AbortController()

try {
  const corpus = createCorpus(columns)
  const sets = comparedOf(compared)
  const results: (DetectorResult | DetectorAbstained)[] = []
  for (const [detector, job] of detectorsOf(detectors, DETECTORS).entries()) {
    const onProgress = (share: number) => reply({ kind: 'progress', detector, share })
    results.push(await runDetector(job, corpus, { ...sets, withoutReferences, signal, onProgress }))
    onProgress(1)
  }
  reply({ kind: 'result', results })
} catch (error) {
  reply({ kind: 'failed', error })
}
