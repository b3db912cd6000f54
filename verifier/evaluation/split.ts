/** Which rows may be fitted on and which are scored. A row's side depends on its content alone, so that copies never straddle. */
import { createHash } from 'node:crypto'
import { canonicalText } from '../text/canonical.ts'
import type { EvalRow } from './evalRow.ts'

/** SHA-256, in hex, of the canonical text without case and white space: what a copy still shares. */
export function contentHash(text: string): string {
  return createHash('sha256').update(canonicalText(text).toLowerCase().replace(/\s+/g, '')).digest('hex')
}

/** 0 … folds − 1 by hash. */
export function foldOf(key: string, folds: number): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) % folds
}

/** Fields by which parts are left out of a fit. */
export const LEFT_OUT_FIELDS = ['domain', 'generator', 'attack'] as const
export type LeftOutField = (typeof LEFT_OUT_FIELDS)[number]

/** For each row, what it must not be parted from: its pair or document where it names one or is one, else its content. */
export function groupKeys(rows: readonly EvalRow[]): string[] {
  const heads = new Set(rows.flatMap(({ pair, doc }) => [pair, doc]).filter((key) => key !== null))
  return rows.map(({ id, pair, doc, text }) => pair ?? doc ?? (heads.has(id) ? id : contentHash(text ?? id)))
}
