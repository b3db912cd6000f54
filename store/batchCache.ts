/** Record batches that may be wanted again. */
import type { RecordBatch } from 'apache-arrow'

/** The batches that were used last, at least one, up to so many bytes. */
export class BatchCache {
  readonly #limitBytes: number
  readonly #batches = new Map<string, { batch: RecordBatch; sizeBytes: number }>()
  #sizeBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get(key: string): RecordBatch | undefined {
    const known = this.#batches.get(key)
    if (known === undefined) return undefined
    this.#batches.delete(key)
    this.#batches.set(key, known)
    return known.batch
  }

  put(key: string, batch: RecordBatch): void {
    this.#remove(key)
    const sizeBytes = batch.data.byteLength
    this.#batches.set(key, { batch, sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const oldest of this.#batches.keys()) {
      if (this.#sizeBytes <= this.#limitBytes || oldest === key) return
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    this.#sizeBytes -= this.#batches.get(key)?.sizeBytes ?? 0
    this.#batches.delete(key)
  }
}
