import { expect, test } from 'vitest'
import { firstCodeBlock, sectionOf, tableRows } from './markdown.ts'

const text = `# Design
## Layout
before
\`\`\`
# no heading
src/
\`\`\`
### More
after
## Glossary
| word | meaning |
| :--- | ------- |
| slot | moment  |
`

test('a section goes on to the next heading of its level, code and lower headings included', () => {
  expect(sectionOf(text, 'Layout')).toEqual([
    'before',
    '```',
    '# no heading',
    'src/',
    '```',
    '### More',
    'after',
  ])
  expect(sectionOf(text, 'Missing')).toBeUndefined()
})

test('a code block is what stands between its fences', () => {
  expect(firstCodeBlock(sectionOf(text, 'Layout') ?? [])).toEqual(['# no heading', 'src/'])
  expect(firstCodeBlock(['no code'])).toBeUndefined()
})

test('a table is its rows, without the dashes', () => {
  expect(tableRows(sectionOf(text, 'Glossary') ?? [])).toEqual([
    ['word', 'meaning'],
    ['slot', 'moment'],
  ])
})
