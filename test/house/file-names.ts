import type { SourceFile } from './source-files.ts'

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*$/
/** What may lie at the top of `src/`: where the parts meet, and what all of them throw. */
const TOP_FILES = ['src/service.ts', 'src/errors.ts']
/** A step or subject, one kind or part of it, and again of that: `src/client/proxy/postgres/startup.ts`. */
const MAX_FOLDERS = 3

/** Names that are not kebab-case, files loose at the top of `src/`, and folders nested too deep. */
export function fileNameProblems(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const parts = path.replace(/\.(ts|cjs)$/, '').split('/')
    const problems = parts
      .filter(part => !KEBAB_CASE.test(part))
      .map(part => `${path}: '${part}' is not in kebab-case`)
    if (parts[0] !== 'src') return problems
    if (parts.length === 2 && !TOP_FILES.includes(path)) {
      problems.push(`${path} is loose at the top of src/: it belongs in the folder of its step or subject`)
    }
    if (parts.length - 2 > MAX_FOLDERS) {
      problems.push(`${path} lies more than ${MAX_FOLDERS} folders below src/`)
    }
    return problems
  })
}
