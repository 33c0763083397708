import { expect, test } from 'vitest'
import { checkMistake } from './mistake.ts'
import { MISTAKES } from './mistakes.ts'
import { SCHEMA_MISTAKES } from './schema-mistakes.ts'
import { mistakeSnapshot } from './snapshot.ts'
import { YAML_MISTAKES } from './yaml-mistakes.ts'

test('jeton check says of each mistake what mistakes.txt has', async () => {
  let text = ''
  for (const mistake of MISTAKES) text += await mistakeSnapshot(mistake)
  // npx vitest run test/config/mistakes -u rewrites it
  await expect(text).toMatchFileSnapshot('mistakes.txt')
})

test('no two mistakes have one title', () => {
  const titles = MISTAKES.map(({ title }) => title)
  expect(new Set(titles).size).toBe(titles.length)
})

test('each mistake is one message, with its place', async () => {
  for (const mistake of [...YAML_MISTAKES, ...SCHEMA_MISTAKES]) {
    const { stderr } = await checkMistake(mistake)
    if (!mistake.title.includes('no mistake'))
      expect(stderr, mistake.title).toMatch(/^jeton\.yaml:\d+:\d+: error: .+\n(?: .+\n.+\n)?1 error\n$/)
  }
})

test('no secret is printed', async () => {
  for (const mistake of MISTAKES)
    expect((await checkMistake(mistake)).stderr, mistake.title).not.toMatch(
      /s3cret|hunter2|tell.nobody|9f86d0/i,
    )
})
