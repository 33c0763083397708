import { firstCodeBlock, sectionOf } from './markdown.ts'
import { foldersOf, type SourceFile } from './source-files.ts'

/**
 * Folders of `src/` that the block under "Layout" of the design does not list, and what it lists that is not there. A line
 * is a whole path from the root, a folder's with a `/` at its end, two spaces or more, and what it is for:
 *
 *     src/tokens/rate-limit/   gives slots for new tokens
 */
export function folderProblems(design: SourceFile, files: readonly SourceFile[]): string[] {
  const block = firstCodeBlock(sectionOf(design.text, 'Layout') ?? [])
  if (!block) return [`${design.path} has no code block under "## Layout"`]
  const lines = block.filter(line => line.trim() !== '').map(parseLine)
  const listed = lines.map(({ path }) => path)
  const existing = new Set(
    files.flatMap(({ path }) => [path, ...foldersOf(path).map(folder => `${folder}/`)]),
  )
  const folders = [...existing].filter(path => /^src\/.+\/$/.test(path)).sort()
  return [
    ...folders
      .filter(folder => !listed.includes(folder))
      .map(folder => `${folder} is not in the layout of ${design.path}: say in one line what it is for`),
    ...lines
      .filter(({ path }) => path.startsWith('src/') && !existing.has(path))
      .map(({ path }) => `${design.path} lists ${path}, which does not exist`),
    ...lines
      .filter(({ meaning }) => meaning === '')
      .map(({ path }) => `${design.path} lists ${path} and does not say what it is for`),
    ...listed
      .filter((path, index) => listed.indexOf(path) < index)
      .map(path => `${design.path} lists ${path} twice`),
  ]
}

function parseLine(line: string): { path: string; meaning: string } {
  const [path = '', ...meaning] = line.trim().split(/\s{2,}/)
  return { path, meaning: meaning.join(' ') }
}
