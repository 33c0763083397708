import { parseAst } from 'vitest/node'
import { getOrCreate } from '../../src/lib/maps.ts'
import type { SourceFile } from './source-files.ts'

/** A node of ESTree, with TypeScript's own as typescript-eslint names them: https://typescript-eslint.io/play */
export interface SyntaxNode {
  readonly type: string
  readonly [field: string]: unknown
}

const parsed = new WeakMap<SourceFile, readonly SyntaxNode[]>()

/** The top-level statements of a file. Throws if it is not TypeScript. */
export function statementsOf(file: SourceFile): readonly SyntaxNode[] {
  const parse = () => childrenOf(parseAst(file.text, { lang: 'ts' }, file.path).body)
  return getOrCreate(parsed, { key: file, create: parse })
}

/** All nodes of a file, each before those that it contains. Comments are no nodes. */
export function nodesOf(file: SourceFile): SyntaxNode[] {
  return statementsOf(file).flatMap(withDescendants)
}

/** The nodes that a field of a node holds: one, a list of them, or none. */
export function childrenOf(value: unknown): SyntaxNode[] {
  if (Array.isArray(value)) return value.flatMap(childrenOf)
  return isNode(value) ? [value] : []
}

/** The text of a string literal, or of a template without placeholders; undefined for any other expression. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
  if (node.type !== 'TemplateLiteral' || childrenOf(node.expressions).length > 0) return undefined
  const [part] = childrenOf(node.quasis)
  return (part?.value as { cooked?: string } | undefined)?.cooked
}

function withDescendants(node: SyntaxNode): SyntaxNode[] {
  return [node, ...Object.values(node).flatMap(childrenOf).flatMap(withDescendants)]
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
