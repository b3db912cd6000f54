/** The manifest: a contributor says that these files, under this licence, from these sources, are a version of a data set. */
import { z } from 'zod'
import { Count, DatasetName, Did, FilePath, Hex32, Link, Timestamp } from './common.ts'

export const FileObject = z
  .strictObject({
    path: FilePath,
    /** Root of the file's UnixFS DAG under the profile unixfs-v1-2025 (IPIP-0499). */
    cid: Link,
    sizeBytes: Count,
    /** SHA-256 of the whole file, as `sha256sum`, Croissant and Git LFS give it. */
    sha256: Hex32,
  })
  .meta({ id: 'FileObject' })
export type FileObject = z.infer<typeof FileObject>

export const Source = z
  .strictObject({
    name: z.string().min(1).max(256),
    url: z.url().max(2048).optional(),
    license: z.string().min(1).max(128).optional(),
    description: z.string().max(4096).optional(),
  })
  .meta({ id: 'Source' })

/** What the contributor declares of synthetic content: compared with what is measured, not punished (verifier/declaration.ts). */
export const SyntheticDeclaration = z
  .strictObject({
    share: z.enum(['none', 'some', 'all', 'unknown']),
    generators: z.array(z.string().min(1).max(128)).max(64),
  })
  .meta({ id: 'SyntheticDeclaration' })

export const Manifest = z
  .strictObject({
    kind: z.literal('manifest'),
    version: z.literal(1),
    name: DatasetName,
    author: Did,
    createdAt: Timestamp,
    /** The UnixFS directory that holds exactly `files`. */
    root: Link,
    sizeBytes: Count,
    files: z.array(FileObject).min(1).max(100_000),
    /** An SPDX licence expression. */
    license: z.string().min(1).max(256),
    title: z.string().max(256).optional(),
    description: z.string().max(65_536).optional(),
    /** BCP 47 tag of the samples' language, where they have one. */
    language: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
      .optional(),
    /** Kind of text (news, forum, e-mail …): names the reference cell that a synthetic-text score is compared with. */
    domain: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
      .optional(),
    sources: z.array(Source).max(1024),
    /** How the people in the data agreed to its use. */
    consent: z.string().max(4096).optional(),
    synthetic: SyntheticDeclaration,
    /** Columns with a role for detectors; where absent the verifier guesses and says so. */
    columns: z.strictObject({ text: z.string().min(1).max(256).optional(), label: z.string().min(1).max(256).optional() }).optional(),
    /** In plain-text files a sample is a line or a paragraph (blank line between). Default: line. */
    textUnit: z.enum(['line', 'paragraph']).optional(),
    previous: Link.optional(),
  })
  .superRefine(({ files }, ctx) => {
    for (let i = 1; i < files.length; i++) {
      const [before, { path }] = [files[i - 1]!.path, files[i]!]
      const issue = (message: string) => ctx.addIssue({ code: 'custom', path: ['files', i, 'path'], message })
      if (before === path) return issue(`two files have the path "${path}"`)
      if (before > path) return issue(`files are sorted by path, but "${path}" follows "${before}"`)
    }
  })
  .refine(
    (manifest) => manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0) === manifest.sizeBytes,
    'sizeBytes is not the sum of the files',
  )
  .meta({ id: 'Manifest' })
export type Manifest = z.infer<typeof Manifest>
