import { importsOf } from './imports.ts'
import type { SourceFile } from './source-files.ts'

/** How a file of the repository is named in an import: as it is called. */
const EXTENSION = /\.(?:ts|cjs|mjs|json)$/

/**
 * Relative imports that do not name their file by its own extension. TypeScript takes `./clock.js` for `./clock.ts`; the rules
 * that follow imports would lose sight of it.
 */
export function specifierProblems(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path))
  return files.flatMap(file =>
    importsOf(file)
      .filter(({ path }) => path !== undefined && !isNamedAsItIs(path, paths))
      .map(({ specifier }) => `${file.path} imports '${specifier}': name the file with its own extension`),
  )
}

/** A `.mjs` that is a source's name with another extension stands for that source. */
function isNamedAsItIs(path: string, paths: ReadonlySet<string>): boolean {
  const hasTwin = path.endsWith('.mjs') && paths.has(path.replace(/\.mjs$/, '.mts'))
  return EXTENSION.test(path) && !hasTwin
}
