import { posix } from 'node:path'
import type { SourceFile } from './source-files.ts'

const FENCED = /^```[\s\S]*?^```/gm
/** `[text](target#anchor)`. */
const LINK = /\]\((?<target>[^)\s#]*)#(?<anchor>[^)\s]+)\)/g

/** Links of documents to a heading, of the same document or another, that is not there. */
export function anchorProblems(documents: readonly SourceFile[]): string[] {
  const anchors = new Map(documents.map(({ path, text }) => [path, anchorsOf(text)]))
  return documents.flatMap(({ path, text }) =>
    [...text.replace(FENCED, '').matchAll(LINK)].flatMap(({ groups: { target = '', anchor = '' } = {} }) => {
      const document = target === '' ? path : posix.join(posix.dirname(path), target)
      const known = /^[a-z]+:/i.test(target) ? undefined : anchors.get(document)
      return known === undefined || known.includes(anchor)
        ? []
        : `${path} links to #${anchor} of ${document}, which has no such heading`
    }),
  )
}

/** What GitHub calls the headings of a document in links; of headings that are alike, only the first. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.replace(FENCED, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
