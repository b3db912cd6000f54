/** In a score column: the detector abstained on this sample (null in the table). */
export const NO_SCORE = -0x80000000
/** In a cluster column: the sample is alone (null in the table). */
export const NO_CLUSTER = -1

export interface FindingsTable {
  /** One bit mask of FLAGS a sample. */
  flags: Uint32Array
  /** By detector id: one score a sample, or NO_SCORE. */
  scores: Map<string, Int32Array>
  /** By detector id: the number of the cluster's kept sample, or NO_CLUSTER. */
  clusters: Map<string, Int32Array>
}

/** An Arrow IPC file. */
export function encodeFindings(table: FindingsTable): Uint8Array {
  throw new Error(`being written ${table.flags.length}`)
}
/** Throws `invalid-document`. */
export function decodeFindings(bytes: Uint8Array, sampleCount: number): FindingsTable {
  throw new Error(`being written ${bytes.length} ${sampleCount}`)
}
