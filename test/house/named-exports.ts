import { exportsOf } from './exports.ts'
import type { SourceFile } from './source-files.ts'

/** `` `createTokenCache` (`src/tokens/token-cache.ts`) ``: a name, and the file that exports it. */
const MENTION =
  /`(?<name>[A-Za-z_$][\w$]*)(?:\(\))?`\s+\(`(?<path>(?:src|handlers|infra|test)\/[\w./-]+\.ts)`\)/g

/** Names that documents give a file for, and that this file does not export. */
export function namedExportProblems(
  documents: readonly SourceFile[],
  files: readonly SourceFile[],
): string[] {
  return documents.flatMap(document =>
    [...document.text.matchAll(MENTION)].flatMap(({ groups: { name = '', path = '' } = {} }) => {
      const file = files.find(one => one.path === path)
      if (!file) return `${document.path} names ${path} for ${name}, which is not among the files`
      return exportsOf(file).includes(name)
        ? []
        : `${document.path} says that ${path} exports ${name}: it does not`
    }),
  )
}
