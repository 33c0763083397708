import { expect, test } from 'vitest'
import { asJetonError, JetonError } from '../../src/errors.ts'
import { isUnreadableRecord, unreadableRecord } from '../../src/store/unreadable-record.ts'

test('is told from what looks the same, and is a JetonError like any other to everyone else', () => {
  const error = unreadableRecord({
    key: 'token/1',
    why: 'of another key',
    keepUntil: Date.UTC(2026, 10, 23, 10),
  })
  expect(isUnreadableRecord(error)).toBe(true)
  expect(asJetonError(error)).toBe(error)
  expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 503, name: 'JetonError' })
  expect(error.reason).toBe(
    'the record token/1 cannot be read: of another key; it is left alone until 2026-11-23T10:00:00.000Z',
  )
  const { publicMessage, reason = '', retryAfterMs = 0 } = error
  expect(isUnreadableRecord(new JetonError(error.code, { publicMessage, reason, retryAfterMs }))).toBe(false)
  expect(isUnreadableRecord(new Error(error.message))).toBe(false)
})

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  'takes %s for a keepUntil that says nothing',
  keepUntil => {
    expect(unreadableRecord({ key: 'k', why: 'so', keepUntil }).reason).toBe(
      'the record k cannot be read: so',
    )
  },
)
