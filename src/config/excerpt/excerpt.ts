import { isCollection } from 'yaml'
import { escapeUnprintable } from '../../lib/printable.ts'
import { type PlacedNode, walkYaml } from '../../lib/yaml-nodes.ts'
import type { TextPlace } from '../places.ts'
import { shownKey } from '../problems.ts'
import { readYaml, withoutMark, type YamlText } from '../yaml/yaml-document.ts'
import { HIDDEN, hideSecrets } from './hidden-values.ts'
import { maskLine, type Piece } from './mask-line.ts'
import { findSecretNodes } from './secret-nodes.ts'
import { isKnownPlace, isShownPlace } from './shown-places.ts'

/** A line of a configuration that may be shown, and what a caret marks in it. */
export interface Excerpt {
  readonly line: string
  readonly caretStart: number
  readonly caretLength: number
}

const MAX_LENGTH = 120
/** As UTF-8, of which nothing can be read. */
const IS_UTF_16 = /\0.\0/

/**
 * Returns a function that shows the line of a place in a configuration: printable, cut to 120 characters around the place, and
 * without secrets. Values that may be secret by their key, unknown keys' values, comments and what looks like a secret are
 * hidden.
 */
export function createExcerpts(configText: string): (place: TextPlace) => Excerpt {
  const text = withoutMark(configText)
  const lines = text.split(/\r?\n/)
  const yaml = readYaml(text)
  const nodes = yaml.document.errors.length === 0 ? nodesByLine(yaml) : undefined
  const secrets = nodes && findSecretNodes(yaml.document)
  const shownLines = new Map<number, ShownLine>()

  function piecesAt(line: number): readonly Piece[] {
    const lineText = lines[line - 1] ?? ''
    if (!nodes) return maskLine(lines, line)
    const lineStart = yaml.lineCounter.lineStarts[line - 1] ?? 0
    const bound = (offset: number) => Math.min(Math.max(offset - lineStart, 0), lineText.length)
    const parts = (nodes.get(line) ?? []).map(({ node, path, isKey }) => ({
      start: bound(node.range?.[0] ?? 0),
      end: bound(node.range?.[1] ?? 0),
      isShown: isKey
        ? isKnownPlace(path.slice(0, -1))
        : (isShownPlace(path) || isMerge(path)) && !secrets?.has(node),
      isName: isKey && !path.slice(0, -1).includes('claims'),
    }))
    return piecesOf(lineText, parts)
  }

  return ({ line, column }) => {
    if (IS_UTF_16.test(lines[line - 1] ?? '')) return { line: '', caretStart: 0, caretLength: 0 }
    const shown = shownLines.get(line) ?? shownLine(piecesAt(line))
    shownLines.set(line, shown)
    return excerptOf(shown, column - 1)
  }
}

/** A merge key is refused, and what it names is no secret. */
function isMerge(path: PlacedNode['path']): boolean {
  return path.at(-1) === '<<' && isShownPlace(path.slice(0, -1))
}

/** Returns the scalars and aliases that each line has a part of, in their order. */
function nodesByLine({ document, lineCounter }: YamlText): Map<number, PlacedNode[]> {
  const byLine = new Map<number, PlacedNode[]>()
  for (const placed of walkYaml(document)) {
    const { node } = placed
    if (isCollection(node) || !node.range) continue
    const [start, end] = node.range
    const last = lineCounter.linePos(Math.max(start, end - 1)).line
    for (let line = lineCounter.linePos(start).line; line <= last; line++) {
      const nodes = byLine.get(line) ?? []
      nodes.push(placed)
      byLine.set(line, nodes)
    }
  }
  return byLine
}

/** A scalar or an alias, as far as it stands in a line. */
interface LinePart {
  readonly start: number
  readonly end: number
  readonly isShown: boolean
  /** Whether it is a key, and no claim. */
  readonly isName: boolean
}

/** Returns a key as it is written, with quotes, but for what no name has. */
function shownName(written: string): string {
  const [, quote = '', key = ''] = /^(["']?)(.*?)\1$/s.exec(written) ?? []
  return `${quote}${shownKey(key)}${quote}`
}

/** Between scalars there are only signs, anchors, tags and comments. */
function piecesOf(text: string, parts: readonly LinePart[]): Piece[] {
  const pieces: Piece[] = []
  // text that begins with & is taken for the anchor of nothing
  const mayHaveSecret = parts.some(({ isShown }) => !isShown)
  let offset = 0
  for (const { start, end, isShown, isName } of parts) {
    pieces.push(gap(text.slice(offset, start), mayHaveSecret))
    const value = text.slice(start, end)
    pieces.push({
      length: value.length,
      shown: isShown ? hideSecrets(isName ? shownName(value) : value) : HIDDEN,
    })
    offset = end
  }
  return [...pieces, gap(text.slice(offset), mayHaveSecret)].filter(({ length }) => length > 0)
}

function gap(text: string, mayHaveSecret: boolean): Piece {
  const withoutComment = text.replace(/(^|\s)#.*/, '')
  const shown = mayHaveSecret ? withoutComment.replace(/[&!]\S+/g, HIDDEN) : withoutComment
  return { length: text.length, shown: hideSecrets(shown) }
}

/** A piece in the line as it is shown. */
interface ShownPiece {
  /** Where it begins in the text. */
  readonly offset: number
  readonly length: number
  /** Where it begins in what is shown. */
  readonly start: number
  readonly shown: string
}

interface ShownLine {
  readonly line: string
  readonly pieces: readonly ShownPiece[]
}

function shownLine(pieces: readonly Piece[]): ShownLine {
  const shownPieces: ShownPiece[] = []
  let line = ''
  let offset = 0
  for (const { length, shown } of pieces) {
    const printable = escapeUnprintable(shown)
    shownPieces.push({ offset, length, start: line.length, shown: printable })
    line += printable
    offset += length
  }
  return { line: line.trimEnd(), pieces: shownPieces }
}

/** A piece that is shown as it is written is marked from the column on; of one that is not, the whole. */
function excerptOf({ line, pieces }: ShownLine, column: number): Excerpt {
  const piece = pieces.find(({ offset, length }) => column < offset + length)
  if (piece === undefined) return cut(line, { start: line.length, length: 1 })
  const { offset, length, start, shown } = piece
  const skipped = shown.length === length ? column - offset : 0
  return cut(line, { start: start + skipped, length: Math.max(shown.slice(skipped).trimEnd().length, 1) })
}

function cut(line: string, { start, length }: { start: number; length: number }): Excerpt {
  if (line.length <= MAX_LENGTH) return { line, caretStart: start, caretLength: length }
  const from = Math.max(0, Math.min(start - MAX_LENGTH / 3, line.length - MAX_LENGTH))
  const before = from > 0 ? '…' : ''
  const shown = line.slice(from, from + MAX_LENGTH)
  const after = from + MAX_LENGTH < line.length ? '…' : ''
  const caretStart = start - from + before.length
  return {
    line: `${before}${shown}${after}`,
    caretStart,
    caretLength: Math.max(1, Math.min(length, before.length + shown.length - caretStart)),
  }
}
