import type { SourceFile } from './source-files.ts'

/** A small repository to try a rule on: paths with what is in them. */
export function example(texts: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }))
}

/** One file, `src/lib/example.ts` if it has no other path. */
export function exampleFile(text: string, path = 'src/lib/example.ts'): SourceFile {
  return { path, text }
}
