import { expect, test } from 'vitest'
import { example } from './example.ts'
import { RETIRED_WORDS, retiredWordProblems } from './retired-words.ts'

const NOTHING_KEPT = { identifiers: [], words: [] }

test('prose, strings and longer words may use what is retired as a word of ours', () => {
  const files = example({
    'src/store/store.ts': `
      /** Writes by the book; in turn, records of good standing are sealed. */
      const key = \`turns/\${resource}\`
      const outstanding = 'journal'
      function returnSpace() {}
    `,
  })
  expect(retiredWordProblems(files, NOTHING_KEPT)).toEqual([])
})

test('a retired word is reported wherever it is part of an identifier or a path', () => {
  const files = example({
    'src/shelf/memory.ts': 'export const a = 1',
    'src/tokens/token-cache.ts': 'const { BOOK_PAGES } = b\nc.createTrails()\nlet d: { takeTurns: string }',
  })
  expect(retiredWordProblems(files, NOTHING_KEPT)).toEqual([
    'the name of src/shelf/memory.ts brings back "shelf": the word is "store"',
    'BOOK_PAGES in src/tokens/token-cache.ts brings back "book": the word is "token cache"',
    'createTrails in src/tokens/token-cache.ts brings back "trail": the word is "request audit"',
    'takeTurns in src/tokens/token-cache.ts brings back "turn": the word is "slot"',
  ])
})

test('a retired phrase is reported only as a whole', () => {
  const files = example({ 'src/lib/a.ts': 'const looseEnds = 1\nconst loose = 2\nconst ends = 3' })
  expect(retiredWordProblems(files, NOTHING_KEPT)).toEqual([
    'looseEnds in src/lib/a.ts brings back "loose end": the word is "background task"',
  ])
})

test('an exception keeps one identifier of one file', () => {
  const files = example({
    'src/store/keyring/kms-keyring.ts': 'const { sealed } = record',
    'src/store/envelope.ts': 'const { sealed } = record',
  })
  const kept = { path: 'src/store/keyring/kms-keyring.ts', identifier: 'sealed', because: 'a stored field' }
  expect(retiredWordProblems(files, { identifiers: [kept], words: [] })).toEqual([
    'sealed in src/store/envelope.ts brings back "sealed": the word is "encrypted"',
  ])
})

test('an exception that nothing needs is reported', () => {
  const kept = { path: 'src/store/keyring/kms-keyring.ts', identifier: 'sealed', because: 'a stored field' }
  expect(retiredWordProblems([], { identifiers: [kept], words: [] })).toEqual([
    'src/store/keyring/kms-keyring.ts has no sealed: take it out of KEPT_IDENTIFIERS',
  ])
})

test('an exception keeps one word in one folder', () => {
  const files = example({
    'src/lambda/event.ts': 'const { stage } = event',
    'src/lambda-tools/event.ts': 'const { stage } = event',
    'test/support/crew.ts': '',
  })
  const exception = { folder: 'src/lambda/', word: 'stage', because: "API Gateway's word" }
  expect(retiredWordProblems(files, { identifiers: [], words: [exception] })).toEqual([
    'stage in src/lambda-tools/event.ts brings back "stage": the word is "test environment"',
    'the name of test/support/crew.ts brings back "crew": the word is "callers"',
  ])
})

test('an exception for a word that its folder does not use is reported', () => {
  const exception = { folder: 'src/lambda/', word: 'stage', because: "API Gateway's word" }
  expect(retiredWordProblems([], { identifiers: [], words: [exception] })).toEqual([
    'src/lambda/ does not use "stage": take it out of KEPT_WORDS',
  ])
})

test('no retired word is in the place of another', () => {
  const replacements = [...RETIRED_WORDS.values()].join(' ').split(/\W+/)
  expect([...RETIRED_WORDS.keys()].filter(word => replacements.includes(word))).toEqual([])
})
