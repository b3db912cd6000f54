/**
 * Names of files as clients of the Hugging Face Hub check them: git's blob id for plain files (gitformat-objects: SHA-1 of `blob SIZE\0` and
 * the bytes), and for large ones the SHA-256 that Git LFS goes by (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '../bytes.ts'

/** Files up to this size are plain, larger ones are shown as Git LFS objects: a plain file has to be read for its id. */
export const MAX_PLAIN_BYTES = 64 * 1024

/** The id of a plain file, 40 hexadecimal digits. */
export function gitBlobId(bytes: Uint8Array): string {
  return bytesToHex(sha1(concatBytes(utf8ToBytes(`blob ${bytes.length}\0`), bytes)))
}

/** What git holds in the place of a large file. `sha256`: 64 hexadecimal digits. */
export function lfsPointer({ sha256, sizeBytes }: { sha256: string; sizeBytes: number }): Uint8Array {
  return utf8ToBytes(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${sizeBytes}\n`)
}
