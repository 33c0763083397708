import { expect, test } from 'vitest'
import { example, exampleFile } from './example.ts'
import { folderProblems } from './folders.ts'

const files = example({
  'src/service.ts': '',
  'src/tokens/mint.ts': '',
  'src/tokens/rate-limit/slots.ts': '',
})

function design(...lines: string[]) {
  return exampleFile(
    ['# Design', '', '## Layout', '', '```', ...lines, '```', '', '## Glossary'].join('\n'),
    'docs/design.md',
  )
}

test('a layout with every folder and nothing else is sound', () => {
  const text = design(
    'handlers/                the command line and the server',
    'src/service.ts           where parts meet',
    'src/tokens/              grant → token',
    '',
    'src/tokens/rate-limit/   slots for new tokens',
  )
  expect(folderProblems(text, files)).toEqual([])
})

test('a folder that the layout leaves out is reported', () => {
  expect(folderProblems(design('src/tokens/   grant → token'), files)).toEqual([
    'src/tokens/rate-limit/ is not in the layout of docs/design.md: say in one line what it is for',
  ])
})

test('a folder or file of the layout that does not exist is reported, and so is one listed twice', () => {
  const text = design(
    'src/tokens/   grant → token',
    'src/tokens/rate-limit/   slots',
    'src/shelf/   what a fleet shares',
    'src/compose.ts   where parts meet',
    'src/tokens/   again',
  )
  expect(folderProblems(text, files)).toEqual([
    'docs/design.md lists src/shelf/, which does not exist',
    'docs/design.md lists src/compose.ts, which does not exist',
    'docs/design.md lists src/tokens/ twice',
  ])
})

test('a folder without a meaning is reported', () => {
  expect(folderProblems(design('src/tokens/', 'src/tokens/rate-limit/   slots'), files)).toEqual([
    'docs/design.md lists src/tokens/ and does not say what it is for',
  ])
})

test('a design without a layout is reported', () => {
  const text = exampleFile(
    '# Design\n\n## Layout\n\n## Decisions\n\n```\nsrc/tokens/   no\n```\n',
    'docs/design.md',
  )
  expect(folderProblems(text, files)).toEqual(['docs/design.md has no code block under "## Layout"'])
})
