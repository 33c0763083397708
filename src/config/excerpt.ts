import { isAlias, isCollection, isMap, isScalar } from 'yaml'
import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { HIDDEN, hideSecrets } from './hidden-values.ts'
import { maskLine, type Piece } from './mask-line.ts'
import type { TextPlace } from './places.ts'
import { isKnownPlace, isShownPlace } from './shown-places.ts'
import { aliasTargets, readYaml, walkYaml, type YamlNode, type YamlText } from './yaml-document.ts'

/** A line of a configuration that may be shown, and what a caret marks in it. */
export interface Excerpt {
  readonly line: string
  readonly caretStart: number
  readonly caretLength: number
}

const MAX_LENGTH = 120

/**
 * Returns a function that shows the line of a place in a configuration: printable, cut to 120 characters around the place, and
 * without secrets. Values that may be secret by their key, unknown keys' values, comments and what looks like a secret are
 * hidden.
 */
export function createExcerpts(configText: string): (place: TextPlace) => Excerpt {
  const text = configText.replace(/^\uFEFF/, '')
  const lines = text.split(/\r?\n/)
  const yaml = readYaml(text)
  const scalars = yaml.document.errors.length === 0 ? scalarsByLine(yaml) : undefined

  return ({ line, column }) => {
    const lineText = lines[line - 1] ?? ''
    const lineStart = yaml.lineCounter.lineStarts[line - 1] ?? 0
    const pieces = scalars
      ? piecesOf(
          lineText,
          (scalars.get(line) ?? []).map(scalar => within(scalar, { lineStart, lineText })),
        )
      : maskLine(lines, line)
    return excerptOf(pieces, column - 1)
  }
}

interface PlacedScalar {
  readonly start: number
  readonly end: number
  readonly isShown: boolean
}

/** Returns the scalars that each line has a part of, in their order. */
function scalarsByLine({ document, lineCounter }: YamlText): Map<number, PlacedScalar[]> {
  const hidden = hiddenTargets(document)
  const byLine = new Map<number, PlacedScalar[]>()
  for (const { node, path, isKey } of walkYaml(document)) {
    if (!isScalar(node) || !node.range) continue
    const [start, end] = node.range
    const isShown = isKey ? isKnownPlace(path.slice(0, -1)) : isShownPlace(path) && !hidden.has(node)
    const last = lineCounter.linePos(Math.max(start, end - 1)).line
    for (let line = lineCounter.linePos(start).line; line <= last; line++)
      byLine.set(line, [...(byLine.get(line) ?? []), { start, end, isShown }])
  }
  return byLine
}

/** Returns what stands at a place that is shown, but is used at one that is not, or names API keys. */
function hiddenTargets(document: YamlText['document']): Set<YamlNode> {
  const targets = aliasTargets(document)
  const hidden = new Set<YamlNode>()
  for (const { node, path } of walkYaml(document)) {
    if (isAlias(node) && !isShownPlace(path)) hide(targets.get(node))
    if (
      isMap(node) &&
      path.at(-1) === 'principal' &&
      scalarValue(node.get('issuer', true)) === API_KEY_ISSUER
    )
      hide(node.get('subject', true))
  }
  return hidden

  /** Aliases are targets themselves, so that none is followed. */
  function hide(node: unknown): void {
    if (isScalar(node)) hidden.add(node as YamlNode)
    else if (isCollection(node) && !hidden.has(node as YamlNode)) {
      hidden.add(node as YamlNode)
      for (const item of node.items) for (const inner of membersOf(item)) hide(inner)
    }
  }
}

function scalarValue(node: unknown): unknown {
  return isScalar(node) ? node.value : undefined
}

function membersOf(item: unknown): unknown[] {
  return typeof item === 'object' && item !== null && 'key' in item && 'value' in item
    ? [item.key, item.value]
    : [item]
}

function within(
  { start, end, isShown }: PlacedScalar,
  { lineStart, lineText }: { lineStart: number; lineText: string },
): PlacedScalar {
  const bound = (offset: number) => Math.min(Math.max(offset - lineStart, 0), lineText.length)
  return { start: bound(start), end: bound(end), isShown }
}

/** Between scalars there are only signs, anchors, tags and comments. */
function piecesOf(text: string, scalars: readonly PlacedScalar[]): Piece[] {
  const pieces: Piece[] = []
  let offset = 0
  for (const { start, end, isShown } of scalars) {
    pieces.push(gap(text.slice(offset, start)))
    const value = text.slice(start, end)
    pieces.push({ length: value.length, shown: isShown ? hideSecrets(value) : HIDDEN })
    offset = end
  }
  return [...pieces, gap(text.slice(offset))].filter(({ length }) => length > 0)
}

function gap(text: string): Piece {
  return { length: text.length, shown: hideSecrets(text.replace(/(^|\s)#.*/, '')) }
}

function excerptOf(pieces: readonly Piece[], column: number): Excerpt {
  let line = ''
  let offset = 0
  let caret = { start: 0, length: 1 }
  for (const { length, shown } of pieces) {
    const printable = escapeUnprintable(shown)
    if (column >= offset && column < offset + length)
      caret = caretWithin(printable, { skipped: column - offset, start: line.length, length })
    line += printable
    offset += length
  }
  if (column >= offset) caret = { start: line.length, length: 1 }
  return cut(line.trimEnd(), caret)
}

/** A piece that is shown as it is written is marked from the column on; of one that is not, the whole. */
function caretWithin(
  printable: string,
  { skipped, start, length }: { skipped: number; start: number; length: number },
): { start: number; length: number } {
  if (printable.length !== length) return { start, length: Math.max(printable.length, 1) }
  const rest = printable.slice(skipped)
  return { start: start + skipped, length: Math.max(rest.trimEnd().length, 1) }
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
