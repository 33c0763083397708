import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { LONGEST, startOrder } from './start-order.ts'

const TOP = fileURLToPath(new URL('../', import.meta.url))

test('startOrder begins with the longest, then those with a process of their own, and leaves the rest as it is', () => {
  const files = [
    { path: '/a/test/lib/quota.test.ts', isIsolated: false },
    { path: '/a/test/e2e/lambda.test.ts', isIsolated: true },
    { path: `/a/${LONGEST[1]}`, isIsolated: true },
    { path: '/a/test/lib/hash.test.ts', isIsolated: false },
    { path: '/a/test/e2e/docs.test.ts', isIsolated: true },
    { path: `/a/${LONGEST[0]}`, isIsolated: true },
  ]
  expect(startOrder(files).map(({ path }) => path)).toEqual([
    `/a/${LONGEST[0]}`,
    `/a/${LONGEST[1]}`,
    '/a/test/e2e/lambda.test.ts',
    '/a/test/e2e/docs.test.ts',
    '/a/test/lib/quota.test.ts',
    '/a/test/lib/hash.test.ts',
  ])
})

test.each(LONGEST)('%s is there', path => {
  expect(existsSync(`${TOP}${path}`)).toBe(true)
})
