import { expect, test } from 'vitest'
import { anchorProblems } from './anchors.ts'
import { exampleFile } from './example.ts'

const guide = (text: string) => [
  exampleFile(text, 'docs/guide.md'),
  exampleFile("# A\n\n## `jeton token`: what's new\n\n```sh\n# no heading\n```\n", 'docs/other.md'),
]

test('links to headings that are there are sound, and so are those to pages of others', () => {
  const text = `## Here\n[a](#here) [b](other.md#jeton-token-whats-new) [c](https://example.com/#x) [d](other.ts#L1)`
  expect(anchorProblems(guide(text))).toEqual([])
})

test('a heading that is not there is reported, of the same document and of another', () => {
  expect(anchorProblems(guide('[a](#there) [b](other.md#no-heading)'))).toEqual([
    'docs/guide.md links to #there of docs/guide.md, which has no such heading',
    'docs/guide.md links to #no-heading of docs/other.md, which has no such heading',
  ])
})
