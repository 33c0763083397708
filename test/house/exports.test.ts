import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { exportsOf, wholesaleExportsOf } from './exports.ts'

test.each([
  ['functions', 'export function a() {}\nexport async function* b() {}', ['a', 'b']],
  [
    'overloads, once',
    'export function a(x: 1): 1\nexport function a(x: 2): 2\nexport function a(x: any) { return x }',
    ['a'],
  ],
  ['constants', 'export const a = 1, b = 2', ['a', 'b']],
  [
    'what patterns bind',
    'export const { a, x: b, y: [c, ...d], z: e = 1, ...f } = g',
    ['a', 'b', 'c', 'd', 'e', 'f'],
  ],
  ['types', 'export type A = string\nexport interface B {}\nexport enum C {}', ['A', 'B', 'C']],
  ['classes', 'export class A {}\nexport abstract class B {}', ['A', 'B']],
  ['a value and a type of one name, once', 'export const A = 1\nexport type A = typeof A', ['A']],
  ['lists, by the name outside', 'const a = 1\nexport { a as b, a }', ['b', 'a']],
  ['re-exports', "export { a, b as c } from './x.ts'\nexport type { D } from './x.ts'", ['a', 'c', 'D']],
  ['a namespace', "export * as a from './x.ts'", ['a']],
])('exports include %s', (_, text, names) => {
  expect(exportsOf(exampleFile(text))).toEqual(names)
})

test('exports are neither what a file keeps, nor a default, nor what comments and strings say', () => {
  const text = `
    const kept = 1
    export default kept
    export { kept as default }
    // export const a = 1
    const b = 'export const c = 1'
    declare module 'fastify' { interface FastifyRequest { a: string } }
  `
  expect(exportsOf(exampleFile(text))).toEqual([])
})

test('exports of everything are found, under a name of their own, as types, and without either', () => {
  const file = exampleFile("export * from './a.ts'\nexport * as b from './b.ts'\nexport type * from './c.ts'")
  expect(wholesaleExportsOf(file)).toEqual(['./a.ts', './b.ts', './c.ts'])
})
