import { posix } from 'node:path'
import { getOrCreate } from '../../src/lib/maps.ts'
import type { SourceFile } from './source-files.ts'
import { childrenOf, literalText, nodesOf, type SyntaxNode } from './syntax-tree.ts'

export interface Import {
  /** The path from the root of the repository; undefined for a package, or if it is worked out at run time. */
  readonly path: string | undefined
  /** As written; undefined if it is worked out at run time. */
  readonly specifier: string | undefined
  /** Whether nothing of it is left when types are stripped. */
  readonly isTypeOnly: boolean
  /** Whether it is loaded only when the code reaches it: an `import()` expression. */
  readonly isLazy: boolean
}

const imports = new WeakMap<SourceFile, readonly Import[]>()

/**
 * All that a file imports: statements, re-exports, `import('…')` as an expression and as a type, and in CommonJS `require` and
 * tsx's `tsImport`.
 */
export function importsOf(file: SourceFile): readonly Import[] {
  return getOrCreate(imports, { key: file, create: () => findImports(file) })
}

function findImports(file: SourceFile): Import[] {
  return nodesOf(file).flatMap(node => {
    const source = sourceOf(node)
    if (!source) return []
    const specifier = literalText(source)
    const isLazy = node.type === 'ImportExpression'
    return { specifier, path: resolve(file.path, specifier), isTypeOnly: isTypeOnly(node), isLazy }
  })
}

function sourceOf(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return childrenOf(node.source)[0]
    case 'TSExternalModuleReference':
      return childrenOf(node.expression)[0]
    case 'CallExpression':
      return isLoader(node.callee) ? childrenOf(node.arguments)[0] : undefined
    default:
      return undefined
  }
}

function isLoader(callee: unknown): boolean {
  return childrenOf(callee).some(
    ({ type, name }) => type === 'Identifier' && (name === 'require' || name === 'tsImport'),
  )
}

function resolve(from: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined
}

/** `import { type A }` counts as `import type { A }`. */
function isTypeOnly(node: SyntaxNode): boolean {
  if (node.type === 'TSImportType') return true
  if (node.importKind === 'type' || node.exportKind === 'type') return true
  const names = childrenOf(node.specifiers)
  return names.length > 0 && names.every(name => name.importKind === 'type' || name.exportKind === 'type')
}
