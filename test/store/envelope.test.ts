import { createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { decrypt, type Envelope, encrypt, parseEnvelope } from '../../src/store/envelope.ts'
import { createFileKeyring } from '../../src/store/keyring/file-keyring.ts'

const secret = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))
const dataKey = await createFileKeyring([secret]).encryptionKey()

/** Written by releases that called these functions `seal` and `unseal`; tables still hold such records. */
const OLD_RECORD = Buffer.from(
  'eyJ2IjoxLCJrZXkiOiJmaWxlL2Q1ZDY5ZGE0MDc2OWI2ZGQiLCJrZWVwVW50aWwiOjE3OTU0Mjg1NDAwMDB9Cm+2HMbDN6/lA6qzzKQcnTCqomtB' +
    'h/P8qb3ec3J+7RAp4oVTWxGhAGDX73H0p6X2mCxD8+tNC96zFXdgwO7suyxW4sa7BbofO9PVPDpWy6trqegTIQ==',
  'base64',
)
const OLD_RECORD_WITHOUT_KEEP_UNTIL = Buffer.from(
  'eyJ2IjoxLCJrZXkiOiJmaWxlL2Q1ZDY5ZGE0MDc2OWI2ZGQifQpByBubWNHGRK7XtPq/omcoM4aWEd5RYpU5R9Vcdg==',
  'base64',
)

function parse(record: Uint8Array): Envelope {
  return parseEnvelope(record) ?? expect.unreachable('it is not an envelope')
}

test('decrypt reads a record of an older release', () => {
  const envelope = parse(OLD_RECORD)
  expect(envelope.header).toEqual({
    isKnownVersion: true,
    keyId: 'file/d5d69da40769b6dd',
    keepUntil: 1795428540000,
  })
  expect(decrypt(envelope, { recordKey: 'token/golden', secret })?.toString()).toBe(
    '{"v":1,"keepUntil":1795428540000,"shared":{"token":"x"}}',
  )
})

test('decrypt reads a record of an older release that has no keepUntil', () => {
  const envelope = parse(OLD_RECORD_WITHOUT_KEEP_UNTIL)
  expect(envelope.header.keepUntil).toBe(0)
  expect(decrypt(envelope, { recordKey: 'token/golden', secret })?.toString()).toBe('x')
})

test('decrypt returns undefined for another record key or another secret', () => {
  const envelope = parse(OLD_RECORD)
  expect(decrypt(envelope, { recordKey: 'token/other', secret })).toBeUndefined()
  const otherSecret = createSecretKey(Buffer.alloc(32))
  expect(decrypt(envelope, { recordKey: 'token/golden', secret: otherSecret })).toBeUndefined()
})

test('encrypt writes the layout of older releases: header line, nonce, ciphertext, tag', () => {
  const record = encrypt(Buffer.from('text'), { recordKey: 'k', keepUntil: 1795428540000, dataKey })
  const header = '{"v":1,"key":"file/d5d69da40769b6dd","keepUntil":1795428540000}\n'
  expect(record.toString('latin1', 0, header.length)).toBe(header)
  expect(record).toHaveLength(header.length + 12 + 4 + 16)
  const withoutKeepUntil = encrypt(Buffer.from('text'), { recordKey: 'k', dataKey })
  expect(withoutKeepUntil.toString('latin1')).toMatch(/^\{"v":1,"key":"file\/d5d69da40769b6dd"\}\n/)
})

test('encrypt uses a new nonce each time', () => {
  const nonces = Array.from({ length: 100 }, () =>
    parse(encrypt(Buffer.from('text'), { recordKey: 'k', dataKey }))
      .payload.subarray(0, 12)
      .toString('hex'),
  )
  expect(new Set(nonces).size).toBe(100)
})
