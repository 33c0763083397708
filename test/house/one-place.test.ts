import { expect, test } from 'vitest'
import { example } from './example.ts'
import { onePlaceProblems } from './one-place.ts'

const validators = {
  'src/config/validator.ts': 'export const schema = 1',
  'src/http/validator.ts': 'export const schema = 2',
}
const shared = { names: ['schema'], files: Object.keys(validators), because: 'build.mjs replaces both' }

test('names that differ are sound, and so are names that files keep to themselves', () => {
  const files = example({
    'src/a.ts': 'export const createA = 1\nexport type A = string\nexport const A = 1\nconst parse = 1',
    'src/b.ts': "import { createA } from './a.ts'\nexport const createB = createA\nconst parse = 2",
  })
  expect(onePlaceProblems(files, [])).toEqual([])
})

test('a name that several files export is reported with all of them', () => {
  const files = example({
    'src/a.ts': 'export interface Entry {}',
    'src/b.ts': 'type Local = string\nexport type { Local as Entry }',
    'src/c.ts': 'export class Entry {}',
  })
  expect(onePlaceProblems(files, [])).toEqual([
    'Entry is exported by src/a.ts and src/b.ts and src/c.ts: one name, one meaning, one place',
  ])
})

test('a re-export is a second place, by name or wholesale', () => {
  const files = example({
    'src/a.ts': 'export const a = 1',
    'src/b.ts': "export { a } from './a.ts'",
    'src/c.ts': "export * from './a.ts'",
  })
  expect(onePlaceProblems(files, [])).toEqual([
    'a is exported by src/a.ts and src/b.ts: one name, one meaning, one place',
    "src/c.ts exports all of './a.ts' a second time: import it from where it is",
  ])
})

test.each([
  ['export default function backoffMs() {}', 'has a default export: give it a name'],
  ['const backoffMs = 1\nexport { backoffMs as default }', 'has a default export: give it a name'],
  [
    'export namespace Backoff { export const backoffMs = 1 }',
    'exports a namespace: export its names one by one',
  ],
  [
    "import * as backoff from './a.ts'\nexport const helpers = backoff",
    'exports a namespace: export its names one by one',
  ],
  [
    "import * as backoff from './a.ts'\nexport { backoff }",
    'exports a namespace: export its names one by one',
  ],
])('an export that hides its name is reported: %s', (text, problem) => {
  expect(onePlaceProblems(example({ 'src/a.ts': 'export const a = 1', 'src/b.ts': text }), [])).toEqual([
    `src/b.ts ${problem}`,
  ])
})

test('a wholesale re-export under a name is a second place too', () => {
  const files = example({ 'src/a.ts': 'export const a = 1', 'src/b.ts': "export * as all from './a.ts'" })
  expect(onePlaceProblems(files, [])).toEqual([
    "src/b.ts exports all of './a.ts' a second time: import it from where it is",
  ])
})

test('an exception lets its own files share its own names', () => {
  expect(onePlaceProblems(example(validators), [])).toHaveLength(1)
  expect(onePlaceProblems(example(validators), [shared])).toEqual([])
})

test('an exception is for no other file', () => {
  const files = example({ ...validators, 'src/audit/record.ts': 'export const schema = 3' })
  expect(onePlaceProblems(files, [shared])).toEqual([
    'schema is exported by src/config/validator.ts and src/http/validator.ts and src/audit/record.ts: one name, one meaning, one place',
  ])
})

test('an exception that nothing needs is reported', () => {
  const files = example({ ...validators, 'src/http/validator.ts': '' })
  expect(onePlaceProblems(files, [shared])).toEqual([
    'src/http/validator.ts does not export schema: take it out of SHARED_NAMES',
  ])
})
