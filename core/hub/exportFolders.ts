/** The folders of an export's Parquet files: names under which nothing was published, so that whoever reads a folder never reads both. */

export interface ExportFolders {
  /** All rows, where they were not published as Parquet. */
  whole: string
  /** The rows that pass. */
  verified: string
}

/** `published`: the paths of the manifest. */
export function exportFolders(published: readonly string[]): ExportFolders {
  return { whole: freeFolder(published, ['data', 'parquet']), verified: freeFolder(published, ['verified']) }
}

/** The split of a file that an export wrote, `FOLDER/SPLIT-00000-of-00001.parquet`; null for any other. */
export function splitOfExported(path: string, folder: string): string | null {
  return path.startsWith(`${folder}/`) ? (/^(.+)-\d{5}-of-\d{5}\.parquet$/.exec(path.slice(folder.length + 1))?.[1] ?? null) : null
}

function freeFolder(published: readonly string[], names: readonly string[]): string {
  const isFree = (folder: string) => published.every((path) => path !== folder && !path.startsWith(`${folder}/`))
  for (const name of names) if (isFree(name)) return name
  for (let i = 1; ; i++) if (isFree(`${names.at(-1)}-${i}`)) return `${names.at(-1)}-${i}`
}
