import type { LongFile } from './exceptions.ts'
import type { SourceFile } from './source-files.ts'

export const MAX_LINES = 200

/** Files of more than MAX_LINES, comments and blank lines included, and exceptions that nothing needs any more. */
export function fileLengthProblems(files: readonly SourceFile[], allowed: readonly LongFile[]): string[] {
  const long = files.filter(file => lineCount(file) > MAX_LINES)
  return [
    ...long
      .filter(({ path }) => !allowed.some(exception => exception.path === path))
      .map(file => `${file.path} has ${lineCount(file)} lines: a file is one idea of at most ${MAX_LINES}`),
    ...allowed
      .filter(exception => !long.some(({ path }) => path === exception.path))
      .map(({ path }) => `${path} is not above ${MAX_LINES} lines: take it out of LONG_FILES`),
  ]
}

function lineCount({ text }: SourceFile): number {
  return text.trimEnd().split('\n').length
}
