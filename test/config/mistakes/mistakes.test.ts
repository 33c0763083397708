import { expect, test } from 'vitest'
import { MISTAKES } from './mistakes.ts'
import { mistakeSnapshot } from './snapshot.ts'

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
