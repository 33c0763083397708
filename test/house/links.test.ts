import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { linkProblems, packagedLinkProblems } from './links.ts'

const paths = new Set([
  'README.md',
  'docs',
  'docs/design.md',
  'docs/fleet.svg',
  'src',
  'src/tokens',
  'src/tokens/mint.ts',
  'test',
  'test/setup.ts',
])

function problems(text: string, path = 'docs/guide.md') {
  return linkProblems([exampleFile(text, path)], paths).map(problem =>
    problem.replace('docs/guide.md names ', '').replace(', which does not exist', ''),
  )
}

test('paths and links that lead somewhere are sound', () => {
  const text = `
See \`src/tokens/mint.ts\`, \`src/tokens/\` and \`npx vitest run src/tokens\`; [the design](design.md#layout) and
[the readme](../README.md). ![A picture](fleet.svg "title") <img src="fleet.svg">

[design]: design.md
`
  expect(problems(text)).toEqual([])
})

test('a path that does not exist is reported, in a code span as in a block', () => {
  const text = 'It is in `src/tokens/book.ts`.\n\n```sh\nnpx tsx test/bench/main.ts\n```\n\n`"src/shelf/"`'
  expect(problems(text)).toEqual(['test/bench/main.ts', 'src/tokens/book.ts', 'src/shelf/'])
})

test('a path is reported once for each document', () => {
  expect(problems('`src/a.ts` `src/a.ts`')).toEqual(['src/a.ts'])
})

test('a file is no folder', () => {
  expect(problems('`src/tokens/mint.ts/`')).toEqual(['src/tokens/mint.ts/'])
})

test('a link that does not exist is reported from the root of the repository', () => {
  expect(problems('[a](missing.md) [b](../LICENSE "title") ![c](missing.svg)\n\n[d]: gone.md')).toEqual([
    'docs/missing.md',
    'LICENSE',
    'docs/missing.svg',
    'docs/gone.md',
  ])
  expect(linkProblems([exampleFile('[a](docs/missing.md)', 'README.md')], paths)).toEqual([
    'README.md names docs/missing.md, which does not exist',
  ])
})

test('a path or link that leads elsewhere is left alone', () => {
  const text = `
[web](https://example.com/src/a.ts) [mail](mailto:a@example.com) [here](#layout) src/prose.ts
\`https://example.com/src/a.ts\` \`/usr/src/b.ts\` \`../src/c.ts\` \`node_modules/x/src/d.ts\`

\`\`\`md
[an example](missing.md)
\`\`\`
`
  expect(problems(text)).toEqual([])
})

test('the folder that a pattern begins with has to exist', () => {
  expect(
    problems('`src/tokens/*.ts` `src/tokens/mint-*.ts` `src/{a,b}.ts` `src/…/` `test/<name>.test.ts`'),
  ).toEqual([])
  expect(problems('`src/shelf/*.ts`')).toEqual(['src/shelf/'])
})

test('a link out of the package is reported, if its document is in it', () => {
  const text = '[a](fleet.svg) [b](../deploy/compose.yaml#x) [c](https://example.com) `src/tokens/mint.ts`'
  const guides = [exampleFile(text, 'docs/guide.md'), exampleFile('[d](../docs/guide.md)', 'test/README.md')]
  expect(packagedLinkProblems(guides, ['docs', 'deploy'])).toEqual([])
  expect(packagedLinkProblems(guides, ['docs'])).toEqual([
    'docs/guide.md links to deploy/compose.yaml, which the package does not contain',
  ])
})
