import { expect, test } from 'vitest'
import { example, exampleFile } from './example.ts'
import { glossaryProblems } from './glossary.ts'

const files = example({
  'src/tokens/role-session/role-breaker.ts':
    '/** A lease is the right to mint. */\nexport function createBreaker() {}',
  'src/vending/policy.ts': 'export interface AccessPolicy {}\nexport const tokenKeys = []',
})

function design(...rows: string[]) {
  return exampleFile(
    [
      '# Design',
      '## Glossary',
      '| word | meaning |',
      '| --- | --- |',
      ...rows,
      '## Decisions',
      '| other | table |',
    ].join('\n'),
    'docs/design.md',
  )
}

test('words of file names, identifiers and comments are in use', () => {
  const text = design(
    '| role breaker | fleet-wide circuit breaker per role |',
    '| **access policy** | compiled snapshot |',
    '| `token key` | hash of all that goes into a token |',
    '| lease | right to mint one key |',
  )
  expect(glossaryProblems(text, files)).toEqual([])
})

test('a word that the code does not use is reported', () => {
  expect(glossaryProblems(design('| shelf | what a fleet shares |', '| lease | a right |'), files)).toEqual([
    'docs/design.md explains "shelf", which the code does not use',
  ])
})

test('a word that stands there twice, or without a meaning, is reported', () => {
  expect(glossaryProblems(design('| lease | a right |', '| mint |  |', '| lease | a duty |'), files)).toEqual(
    ['docs/design.md does not say what "mint" means', 'docs/design.md explains "lease" twice'],
  )
})

test('a design without a glossary is reported', () => {
  const problem = 'docs/design.md has no table under "## Glossary"'
  expect(glossaryProblems(design(), files)).toEqual([problem])
  expect(glossaryProblems(exampleFile('# Design\n| a | b |\n| c | d |', 'docs/design.md'), files)).toEqual([
    problem,
  ])
})
