import { posix } from 'node:path'
import type { SourceFile } from './source-files.ts'

/** A path of the repository among code, and the sign of a pattern or placeholder that it may lead to. */
const PATH = /(?<![\w./-])(?<path>(?:src|test|infra|handlers|docs)\/[\w./-]*)(?<pattern>[*{<$…]?)/g
const FENCED = /^```[\s\S]*?^```/gm
const SPAN = /`[^`\n]+`/g
/** `[text](target)`, `![text](target)`, `src="target"`, `href="target"`, `[label]: target`. */
const LINK = /\]\(([^)\s]+)[^)]*\)|(?:src|href)="([^"]+)"|^\[[^\]]+\]: (\S+)/gm

/** Paths and links of documents that lead to nothing. `paths` are all files and folders, without a trailing `/`. */
export function linkProblems(documents: readonly SourceFile[], paths: ReadonlySet<string>): string[] {
  return documents.flatMap(document => {
    const dead = [...mentionedPaths(document.text), ...linkedPaths(document)].filter(
      path => !exists(path, paths),
    )
    return [...new Set(dead)].map(path => `${document.path} names ${path}, which does not exist`)
  })
}

/**
 * Links of the documents in a package that lead out of it. `contents` are the files and folders that package.json names; it
 * always comes along. Its code spans may name what is only in the repository.
 */
export function packagedLinkProblems(
  documents: readonly SourceFile[],
  contents: readonly string[],
): string[] {
  const isPackaged = (path: string) =>
    path === 'package.json' || contents.some(entry => path === entry || path.startsWith(`${entry}/`))
  return documents
    .filter(({ path }) => isPackaged(path))
    .flatMap(document =>
      linkedPaths(document)
        .filter(path => !isPackaged(path))
        .map(path => `${document.path} links to ${path}, which the package does not contain`),
    )
}

/** The paths in code spans and fenced blocks; of a pattern such as `test/*.ts` only the folder that it begins with. */
function mentionedPaths(markdown: string): string[] {
  const code = [...(markdown.match(FENCED) ?? []), ...(markdown.replace(FENCED, '').match(SPAN) ?? [])]
  return [...code.join('\n').matchAll(PATH)].map(({ groups: { path = '', pattern = '' } = {} }) =>
    pattern ? path.replace(/[^/]*$/, '') : path.replace(/\.+$/, ''),
  )
}

/** The targets of links inside the repository, from its root. */
function linkedPaths({ path, text }: SourceFile): string[] {
  return [...text.replace(FENCED, '').replace(SPAN, '').matchAll(LINK)]
    .map(([, ...targets]) => targets.find(target => target !== undefined) ?? '')
    .map(target => target.replace(/#.*$/, ''))
    .filter(target => target !== '' && !/^([a-z]+:|\/)/i.test(target))
    .map(target => posix.join(posix.dirname(path), target))
}

/** A path with a `/` at its end has to be a folder: something lies in it. */
function exists(path: string, paths: ReadonlySet<string>): boolean {
  if (!path.endsWith('/')) return paths.has(path)
  return [...paths].some(other => other.startsWith(path))
}
