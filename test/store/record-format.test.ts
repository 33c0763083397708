import { expect, test } from 'vitest'
import { asJetonError } from '../../src/errors.ts'
import { TOLERANCE_MS } from '../../src/lib/clock-offset.ts'
import {
  decodeRecord,
  encodeRecord,
  MAX_KEPT_AHEAD_MS,
  MAX_KEPT_MS,
  UnreadableRecord,
} from '../../src/store/record-format.ts'
import { LEASE_MS } from '../../src/tokens/token-store.ts'

const NOW = Date.UTC(2026, 10, 23, 10)
const decode = (text: string | Buffer) => decodeRecord(Buffer.from(text), { key: 'token/1', now: NOW })

test('encodeRecord writes the bytes that releases before it wrote and read', () => {
  const record = { keepUntil: 1795428540000, shared: { token: 'x' }, lease: undefined }
  expect(encodeRecord(record).toString()).toBe('{"v":1,"keepUntil":1795428540000,"shared":{"token":"x"}}')
})

test('decodeRecord returns the members that encodeRecord was given', () => {
  const record = { keepUntil: NOW, next: [1, { a: null }] }
  expect(decode(encodeRecord(record))).toEqual({ v: 1, ...record })
})

test.each(['', '{"v":1', 'null', '7', '[1]', '"v"'])('decodeRecord returns undefined for %j', text => {
  expect(decode(text)).toBeUndefined()
})

test('decodeRecord leaves the record of a newer release alone until its keepUntil', () => {
  expect(() => decode(`{"v":2,"keepUntil":${NOW + 1}}`)).toThrow(
    new UnreadableRecord({ key: 'token/1', why: 'a newer release wrote it', keepUntil: NOW + 1 }),
  )
  for (const keepUntil of [`${NOW}`, 'null', '"soon"', `"${NOW + 1}"`, '[1]']) {
    expect(decode(`{"v":2,"keepUntil":${keepUntil}}`)).toBeUndefined()
  }
  expect(decode('{"keepUntil":0}')).toBeUndefined()
})

test('UnreadableRecord is a JetonError like any other to code that does not check its class', () => {
  const error = new UnreadableRecord({ key: 'token/1', why: 'of another key', keepUntil: NOW })
  expect(asJetonError(error)).toBe(error)
  expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 503, name: 'JetonError' })
  expect(error.retryAfterMs).toBeGreaterThan(0)
  expect(error.reason).toBe(
    'the record token/1 cannot be read: of another key; it is left alone until 2026-11-23T10:00:00.000Z',
  )
})

test('decodeRecord believes no keepUntil that is further off than a lease lasts and clocks may differ', () => {
  expect(MAX_KEPT_MS).toBe(LEASE_MS)
  expect(MAX_KEPT_AHEAD_MS - MAX_KEPT_MS).toBeGreaterThan(2 * TOLERANCE_MS)
  expect(() => decode(`{"v":2,"keepUntil":${NOW + MAX_KEPT_AHEAD_MS}}`)).toThrow(UnreadableRecord)
  for (const keepUntil of [NOW + MAX_KEPT_AHEAD_MS + 1, 8.64e15, 1e300])
    expect(decode(`{"v":2,"keepUntil":${keepUntil}}`)).toBeUndefined()
})
