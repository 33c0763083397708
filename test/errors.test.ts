import { expect, test } from 'vitest'
import { JetonError } from '../src/errors.ts'

const failing = (reason: string | (() => string)) =>
  new JetonError('access_denied', { publicMessage: 'no grant', reason })

test('a reason is text, or found out when it is first read, once', () => {
  expect(failing('nearest grant a').reason).toBe('nearest grant a')
  let calls = 0
  const error = failing(() => `found out ${++calls}`)
  expect([error.message, calls]).toEqual(['no grant', 0])
  expect([error.reason, error.reason, calls]).toEqual(['found out 1', 'found out 1', 1])
})

test('a reason that cannot be found out says so, and quotes nothing', () => {
  const error = failing(() => {
    throw new RangeError('secret')
  })
  expect(error.reason).toBe('the reason could not be found out (RangeError)')
})

test('without a reason there is none', () => {
  expect(new JetonError('not_found', { publicMessage: 'nothing here' }).reason).toBeUndefined()
})
