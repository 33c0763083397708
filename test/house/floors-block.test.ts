import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { FLOORS } from './floors.ts'
import { floorsBlockProblems } from './floors-block.ts'

const lines = FLOORS.map(places => places.map(place => place.replace('src/', '')).join(' · '))

function problems(block: readonly string[]) {
  const text = ['## Layout', '```', 'src/', '```', '### Floors', '```', ...block, '```'].join('\n')
  return floorsBlockProblems(exampleFile(text, 'docs/design.md'))
}

test('a block with all floors in their order is sound', () => {
  expect(problems(lines)).toEqual([])
})

test('a floor that the block lacks is reported, and so is one that it invents', () => {
  expect(problems(lines.map(line => line.replace('handlers · infra', 'handlers')))).toEqual([
    'docs/design.md lacks the floor "handlers · infra"',
    'docs/design.md has the floor "handlers", which FLOORS does not have',
  ])
})

test('floors in another order are reported', () => {
  expect(problems([...lines].reverse())).toEqual([
    'docs/design.md has the floors in another order than FLOORS',
  ])
})

test('a design without the block is reported', () => {
  expect(floorsBlockProblems(exampleFile('### Floors\n\n## Glossary', 'docs/design.md'))).toEqual([
    'docs/design.md has no code block under "### Floors"',
  ])
})
