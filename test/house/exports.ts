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

/** The specifiers of `export * from '…'` and `export * as name from '…'`, as written. */
export function wholesaleExportsOf(file: SourceFile): string[] {
  return statementsOf(file)
    .filter(({ type }) => type === 'ExportAllDeclaration')
    .map(({ source }) => literalText(source) ?? '')
}

/** Whether a file has a default export, which every importer would name as it likes. */
export function hasDefaultExport(file: SourceFile): boolean {
  return statementsOf(file).some(
    ({ type, specifiers }) =>
      type === 'ExportDefaultDeclaration' ||
      childrenOf(specifiers).some(({ exported }) => exportedName(exported).includes('default')),
  )
}

/** Whether a file exports names within a namespace, or all of another file as one value. */
export function hasNamespaceExport(file: SourceFile): boolean {
  const statements = statementsOf(file)
  const namespaces = statements.flatMap(({ type, specifiers }) =>
    type === 'ImportDeclaration'
      ? childrenOf(specifiers).filter(({ type }) => type === 'ImportNamespaceSpecifier')
      : [],
  )
  const local = new Set(namespaces.flatMap(({ local }) => childrenOf(local).flatMap(boundNames)))
  return statements.some(
    ({ type, declaration, specifiers }) =>
      type === 'ExportNamedDeclaration' &&
      (childrenOf(declaration).some(isNamespace) ||
        childrenOf(declaration).some(each => isAliasOf(each, local)) ||
        childrenOf(specifiers).some(specifier =>
          exportedName(specifier.local).some(name => local.has(name)),
        )),
  )
}

const isNamespace = ({ type }: SyntaxNode) => type === 'TSModuleDeclaration'

function isAliasOf({ type, declarations }: SyntaxNode, names: ReadonlySet<string>): boolean {
  if (type !== 'VariableDeclaration') return false
  return childrenOf(declarations).some(({ init }) =>
    childrenOf(init).some(value => value.type === 'Identifier' && names.has(String(value.name))),
  )
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
