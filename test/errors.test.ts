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

test('a refusal has no stack, a failure of jeton has one, and refusals leave the limit of stacks as it is', () => {
  const { stackTraceLimit } = Error
  const frames = (error: Error) => error.stack?.match(/^ +at /gm)
  expect(frames(failing('nearest grant a'))).toBeNull()
  expect(frames(new JetonError('temporarily_unavailable', { publicMessage: 'STS is away' }))).not.toBeNull()
  expect(Error.stackTraceLimit).toBe(stackTraceLimit)
})
