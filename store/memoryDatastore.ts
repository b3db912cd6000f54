/** A datastore in memory, with the same transactions as the one in Postgres. */
import { MemoryDatastore } from 'datastore-core'
import type { TransactionalDatastore } from './datastore.ts'

export class MemoryTransactions extends MemoryDatastore implements TransactionalDatastore {
  #last: Promise<unknown> = Promise.resolve()

  /** One after another; what `action` wrote is taken back if it throws. */
  inTransaction<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#run(action))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #run<T>(action: () => Promise<T>): Promise<T> {
    const before = await Array.fromAsync(this.query({}))
    try {
      return await action()
    } catch (error) {
      for await (const key of this.queryKeys({})) await this.delete(key)
      for (const { key, value } of before) await this.put(key, value)
      throw error
    }
  }
}
