import { expect, test } from 'vitest'
import { asJetonError, JetonError } from '../../src/errors.ts'
import { isUnreadable, unreadable } from '../../src/shelf/unreadable.ts'

test('is told from what looks the same, and is a JetonError like any other to everyone else', () => {
  const error = unreadable({ key: 'token/1', why: 'of another key', keepUntil: Date.UTC(2026, 10, 23, 10) })
  expect(isUnreadable(error)).toBe(true)
  expect(asJetonError(error)).toBe(error)
  expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 503, name: 'JetonError' })
  expect(error.reason).toBe(
    'the record token/1 cannot be read: of another key; it is left alone until 2026-11-23T10:00:00.000Z',
  )
  const { publicMessage, reason = '', retryAfterMs = 0 } = error
  expect(isUnreadable(new JetonError(error.code, { publicMessage, reason, retryAfterMs }))).toBe(false)
  expect(isUnreadable(new Error(error.message))).toBe(false)
})

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  'takes %s for a keepUntil that says nothing',
  keepUntil => {
    expect(unreadable({ key: 'k', why: 'so', keepUntil }).reason).toBe('the record k cannot be read: so')
  },
)
