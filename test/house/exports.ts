import type { SourceFile } from './source-files.ts'
import { childrenOf, literalText, type SyntaxNode, statementsOf } from './syntax-tree.ts'

/** The names that a file exports, each once. A default export has no name, and `export *` is in `wholesaleExportsOf`. */
export function exportsOf(file: SourceFile): string[] {
  const names = statementsOf(file)
    .filter(({ type }) => type === 'ExportNamedDeclaration' || type === 'ExportAllDeclaration')
    .flatMap(statement => [
      ...childrenOf(statement.declaration).flatMap(declaredNames),
      ...childrenOf(statement.specifiers).flatMap(({ exported }) => exportedName(exported)),
      ...exportedName(statement.exported),
    ])
  return [...new Set(names)].filter(name => name !== 'default')
}

/** The specifiers of `export * from '…'`, as written. `export * as name` exports one name, and is not among them. */
export function wholesaleExportsOf(file: SourceFile): string[] {
  return statementsOf(file)
    .filter(({ type, exported }) => type === 'ExportAllDeclaration' && !exported)
    .map(({ source }) => literalText(source) ?? '')
}

function declaredNames(declaration: SyntaxNode): string[] {
  if (declaration.type !== 'VariableDeclaration') return childrenOf(declaration.id).flatMap(boundNames)
  return childrenOf(declaration.declarations).flatMap(({ id }) => childrenOf(id).flatMap(boundNames))
}

/** The names that a pattern binds: `a` and `b` of `{ x: a, ...b }`. */
function boundNames(pattern: SyntaxNode): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern.name)]
    case 'ObjectPattern':
      return childrenOf(pattern.properties).flatMap(boundNames)
    case 'Property':
      return childrenOf(pattern.value).flatMap(boundNames)
    case 'ArrayPattern':
      return childrenOf(pattern.elements).flatMap(boundNames)
    case 'AssignmentPattern':
      return childrenOf(pattern.left).flatMap(boundNames)
    case 'RestElement':
      return childrenOf(pattern.argument).flatMap(boundNames)
    default:
      return []
  }
}

function exportedName(name: unknown): string[] {
  return childrenOf(name).flatMap(node => literalText(node) ?? boundNames(node))
}
