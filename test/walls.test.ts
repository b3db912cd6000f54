/** The layers: which folder may import what. See the README for why. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Folder → the folders of ours that it may import besides itself. */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  store: ['core'],
  api: ['core', 'store'],
  indexer: ['core', 'store'],
  verifier: ['core', 'store'],
  cli: ['core'],
  migrations: [],
}

/** Programs that compose everything, or measure it. */
const FREE = ['main.ts', 'settings.ts', 'tools.ts', 'tools', 'bench', 'test', 'scripts']

/** Every specifier of an import or export that stands alone, of a dynamic import and of an `import type`. */
const SPECIFIER = /(?:^|[\s;])(?:import|export)\s+(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g

interface Import {
  file: string
  folder: string
  specifier: string
  /** The first part of the imported path in this repository; null for packages and Node's own modules. */
  target: string | null
}

async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
  const nested = await Promise.all(
    folders.map(async ({ name }) => (await readdir(join(ROOT, name), { recursive: true })).map((path) => join(name, path))),
  )
  return [...entries.map((entry) => entry.name), ...nested.flat()].filter((path) => /\.(ts|mjs|js)$/.test(path))
}

async function importsOf(file: string): Promise<Import[]> {
  const text = await readFile(join(ROOT, file), 'utf8')
  return [...text.matchAll(SPECIFIER)].map((match) => {
    const specifier = match[1] ?? match[2]!
    const target = specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), specifier)).split('/')[0]! : null
    return { file, folder: file.split('/')[0]!, specifier, target }
  })
}

const FILES = await sourceFiles()
const IMPORTS = (await Promise.all(FILES.map(importsOf))).flat()

function describe({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`
}

test('every folder with code has its place in the layers', () => {
  const folders = new Set(FILES.map((file) => file.split('/')[0]!))
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in ALLOWED) && !FREE.includes(folder)),
    [],
  )
})

test('no folder imports from one that lies beside or above it', () => {
  const broken = IMPORTS.filter(
    ({ folder, target }) => target !== null && target !== folder && folder in ALLOWED && !ALLOWED[folder]!.includes(target),
  )
  assert.deepEqual(broken.map(describe), [])
})

test('core is pure: it imports none of Node’s modules and reads no clock, randomness or environment', async () => {
  const impure = IMPORTS.filter(
    ({ folder, specifier }) => folder === 'core' && (specifier.startsWith('node:') || builtinModules.includes(specifier)),
  )
  assert.deepEqual(impure.map(describe), [])
  for (const file of FILES.filter((path) => path.startsWith('core/'))) {
    const code = withoutComments(await readFile(join(ROOT, file), 'utf8'))
    assert.doesNotMatch(code, /\bprocess\.|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bgetRandomValues\b|\bfetch\(/, file)
  }
})

test('migrations import kysely alone', () => {
  const others = IMPORTS.filter(({ folder, specifier }) => folder === 'migrations' && specifier !== 'kysely')
  assert.deepEqual(others.map(describe), [])
})

test('the environment is read (setting it is another matter) by the programs alone', async () => {
  const readers: string[] = []
  const others = FILES.filter(
    (path) => path === 'settings.ts' || path.startsWith('tools/') || (path.split('/')[0]! in ALLOWED && path !== 'cli/main.ts'),
  )
  for (const file of others)
    if (/\bprocess\.env\b(?!\[?[.'\w]*\]? = )/.test(withoutComments(await readFile(join(ROOT, file), 'utf8')))) readers.push(file)
  assert.deepEqual(readers, [])
})

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}
