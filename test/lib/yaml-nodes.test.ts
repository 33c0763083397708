import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { aliasFaults, MAX_ALIASES } from '../../src/lib/yaml-aliases.ts'
import { aliasTargets, repeatedKeys, walkYaml } from '../../src/lib/yaml-nodes.ts'

const parse = (text: string) => parseDocument(text, { uniqueKeys: false, stringKeys: true })
const faultsOf = (text: string) =>
  aliasFaults(parse(text)).map(({ alias, kind }) => `${kind} at ${alias.range?.[0]}`)

test('walkYaml visits each node once, in the order of the text, with its path', () => {
  const nodes = [...walkYaml(parse('a: &x [1, { b: *x }]\nc: *x'))]
  expect(nodes.map(({ path, isKey }) => `${path.join('.')}${isKey ? ' (key)' : ''}`)).toEqual([
    '',
    'a (key)',
    'a',
    'a.0',
    'a.1',
    'a.1.b (key)',
    'a.1.b',
    'c (key)',
    'c',
  ])
})

test('an alias stands for the last anchor before it', () => {
  const targets = [...aliasTargets(parse('a: &x 1\nb: *x\nc: &x 2\nd: *x')).values()]
  expect(targets).toMatchObject([{ value: 1 }, { value: 2 }])
})

describe('aliasFaults', () => {
  test.each([
    ['a: *x', ['unanchored at 3']],
    ['a: *x\nb: &x 1', ['unanchored at 3']],
    ['a: &x { b: [*x] }', ['recursive at 12']],
    ['a: &x { b: 1 }\nb: *x', []],
    ['a: &x { b: &x 1, c: *x }', []],
  ])('finds in %j %j', (text, faults) => {
    expect(faultsOf(text)).toEqual(faults)
  })

  test('finds the first alias that is one too many', () => {
    const uses = (count: number) => `a: &x 1\nb: [${Array(count).fill('*x').join(',')}]`
    expect(faultsOf(uses(MAX_ALIASES))).toEqual([])
    expect(faultsOf(uses(MAX_ALIASES + 5))).toEqual([`excessive at ${12 + 3 * MAX_ALIASES}`])
  })
})

test('repeatedKeys finds keys that a mapping has twice, and what is first', () => {
  const found = repeatedKeys(parse('a: 1\nb: { a: 1, "a": 2 }\na: 3'))
  expect(found.map(({ key, first }) => [first.range?.[0], key.range?.[0]])).toEqual([
    [0, 25],
    [10, 16],
  ])
})
