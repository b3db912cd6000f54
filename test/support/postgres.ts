/** A Postgres for tests: one server for all test processes, a fresh database for each caller. */
import type { Database } from '../../store/database.ts'

export type TestDatabase = Database & { readonly url: string; [Symbol.asyncDispose](): Promise<void> }

/** A fresh, migrated (unless `migrate` is false) database that is dropped on dispose. */
export declare function testDatabase(options?: { migrate?: boolean }): Promise<TestDatabase>
