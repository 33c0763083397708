import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { importsOf } from './imports.ts'

function importedBy(text: string) {
  return importsOf(exampleFile(text, 'src/tokens/mint.ts')).map(({ path, specifier }) => path ?? specifier)
}

test.each([
  ['a statement', "import { a, type B } from './a.ts'", 'src/tokens/a.ts'],
  ['a statement over several lines', "import {\n  a,\n  b,\n} from '../lib/a.ts'", 'src/lib/a.ts'],
  ['a default and a namespace', "import a, * as b from '../../infra/a.ts'", 'infra/a.ts'],
  ['a type', "import type { A } from './a.ts'", 'src/tokens/a.ts'],
  ['a side effect', "import './a.ts'", 'src/tokens/a.ts'],
  ['a re-export', "export { a as b } from './a.ts'", 'src/tokens/a.ts'],
  ['a re-exported type', "export type { A } from './a.ts'", 'src/tokens/a.ts'],
  ['a re-export of all', "export * from './a.ts'", 'src/tokens/a.ts'],
  ['a re-export of all under a name', "export * as a from './a.ts'", 'src/tokens/a.ts'],
  ['an expression', "const a = async () => (await import('./a.ts')).b", 'src/tokens/a.ts'],
  ['a template without placeholders', 'const a = import(`./a.ts`)', 'src/tokens/a.ts'],
  ['a type in place', "let a: Promise<import('./a.ts').A<string>>", 'src/tokens/a.ts'],
  ['the type of a module', "let a: typeof import('./a.ts')", 'src/tokens/a.ts'],
  ['an assignment', "import a = require('./a.ts')", 'src/tokens/a.ts'],
  ['a call of require', "const { a } = require('./a.cjs')", 'src/tokens/a.cjs'],
  ["a call of tsx's loader", "const { a } = await tsImport('./a.ts', __filename)", 'src/tokens/a.ts'],
  ['a package', "import { test } from 'vitest'", 'vitest'],
  ['data', "import a from '../../package.json' with { type: 'json' }", 'package.json'],
])('imports include %s', (_, text, path) => {
  expect(importedBy(text)).toEqual([path])
})

test('comments, strings and exports of a file itself are no imports', () => {
  const text = `
    // import a from './a.ts'
    /** import('./b.ts') */
    const text = "import c from './c.ts'"
    const template = \`import('./d.ts')\`
    const pattern = /import '.\\/e.ts'/
    export { text, template, pattern }
  `
  expect(importedBy(text)).toEqual([])
})

test('imports that are worked out at run time have no specifier', () => {
  expect(importsOf(exampleFile("const load = (name: string) => import('./' + name)"))).toEqual([
    { path: undefined, specifier: undefined, isTypeOnly: false, isLazy: true },
  ])
})

test.each([
  ["import type { A } from './a.ts'", true],
  ["import { type A, type B } from './a.ts'", true],
  ["import { type A, b } from './a.ts'", false],
  ["import './a.ts'", false],
  ["export type { A } from './a.ts'", true],
  ["export { type A } from './a.ts'", true],
  ["export { a } from './a.ts'", false],
  ["let a: import('./a.ts').A", true],
  ["const a = import('./a.ts')", false],
])('types alone: %s is %s', (text, isTypeOnly) => {
  expect(importsOf(exampleFile(text)).map(one => one.isTypeOnly)).toEqual([isTypeOnly])
})

test.each([
  ["const load = () => import('./a.ts')", true],
  ["import './a.ts'", false],
  ["let a: import('./a.ts').A", false],
])('lazy: %s is %s', (text, isLazy) => {
  expect(importsOf(exampleFile(text)).map(one => one.isLazy)).toEqual([isLazy])
})
