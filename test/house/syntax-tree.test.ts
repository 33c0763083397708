import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { childrenOf, literalText, nodesOf, statementsOf } from './syntax-tree.ts'

test('statements are those of the top level, in order', () => {
  const file = exampleFile("import './a.ts'\nexport function f() { return 1 }\ntype T = string")
  expect(statementsOf(file).map(({ type }) => type)).toEqual([
    'ImportDeclaration',
    'ExportNamedDeclaration',
    'TSTypeAliasDeclaration',
  ])
})

test('nodes are found however deep they lie, and comments are none', () => {
  const file = exampleFile('const f = () => ({ a: [async () => await deep(1)] }) // const hidden = 2')
  const names = nodesOf(file).flatMap(({ type, name }) => (type === 'Identifier' ? String(name) : []))
  expect(names).toEqual(['f', 'a', 'deep'])
})

test('a literal is a string or a template without placeholders', () => {
  const expressions = statementsOf(exampleFile("'a'; `b`; 'c' + d; e; 1")).flatMap(({ expression }) =>
    childrenOf(expression),
  )
  expect(expressions.map(literalText)).toEqual(['a', 'b', undefined, undefined, undefined])
})

test('text that is no TypeScript is refused', () => {
  expect(() => statementsOf(exampleFile('const = 1'))).toThrow()
})
