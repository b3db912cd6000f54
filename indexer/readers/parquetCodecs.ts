/** Decompression of Parquet pages: natively where Node can, and never beyond the size that the page announces. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Compressors } from 'hyparquet'
import { compressors as portable } from 'hyparquet-compressors'

type Native = (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array

const native = (decompress: Native) => (input: Uint8Array, lengthBytes: number) =>
  lengthBytes === 0 ? new Uint8Array(0) : decompress(input, { maxOutputLength: lengthBytes })

export const COMPRESSORS: Compressors = {
  ...portable,
  GZIP: native(gunzipSync),
  BROTLI: native(brotliDecompressSync),
  ZSTD: native(zstdDecompressSync),
}
