import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A text file of the repository; `path` starts at its root and uses `/`: `src/service.ts`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const SOURCE_FOLDERS = ['src', 'handlers', 'infra']
const NOT_OURS = new Set(['.git', 'node_modules', 'dist'])

/** The code that is shipped or deploys it. What builds it (`build/`) is no part of it: that works out at run time what it imports. */
export function readSources(): SourceFile[] {
  return SOURCE_FOLDERS.flatMap(filesUnder).filter(isCode).map(readFile)
}

/** The code of the tests, with their helpers and benchmarks. */
export function readTests(): SourceFile[] {
  return filesUnder('test').filter(isCode).map(readFile)
}

/** Whether a path is that of TypeScript or JavaScript. */
export function isCode(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path)
}

/** The documents that speak of the code as it is now; the changelog speaks of what it was. */
export function readDocuments(): SourceFile[] {
  return [
    ...filesIn('.').filter(path => path !== 'CHANGELOG.md'),
    ...filesUnder('docs'),
    ...filesUnder('deploy'),
  ]
    .filter(path => path.endsWith('.md'))
    .map(readFile)
}

/** Every file and folder of the repository, folders without a trailing `/`. */
export function readPaths(): Set<string> {
  return new Set(filesUnder('.').flatMap(path => [path, ...foldersOf(path)]))
}

/** The folders that hold a file, innermost first: `src/a/b.ts` lies in `src/a` and `src`. */
export function foldersOf(path: string): string[] {
  const folder = posix.dirname(path)
  return folder === '.' ? [] : [folder, ...foldersOf(folder)]
}

function filesUnder(folder: string): string[] {
  const below = entriesOf(folder).filter(entry => entry.isDirectory())
  return [...filesIn(folder), ...below.flatMap(({ name }) => filesUnder(posix.join(folder, name)))]
}

function filesIn(folder: string): string[] {
  const files = entriesOf(folder).filter(entry => entry.isFile())
  return files.map(({ name }) => posix.join(folder, name)).sort()
}

/** In a worktree, `.git` is a file. */
function entriesOf(folder: string): Dirent[] {
  return readdirSync(ROOT + folder, { withFileTypes: true }).filter(({ name }) => !NOT_OURS.has(name))
}

function readFile(path: string): SourceFile {
  return { path, text: readFileSync(ROOT + path, 'utf8') }
}
