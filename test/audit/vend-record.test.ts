import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { renderKnown, renderVend } from '../../src/audit/vend-record.ts'

const text = fc.oneof(
  fc.constantFrom(
    'plain',
    'a "b" \\',
    'é',
    '\u007f',
    '\u202e',
    'x'.repeat(64),
    'x'.repeat(257),
    'x'.repeat(513),
  ),
  fc.string({ unit: 'binary', maxLength: 200 }),
)
const maybe = fc.option(text, { nil: undefined })
const vend = fc.record({
  id: fc.uuid(),
  time: fc.constant('2026-11-23T10:00:00.000Z'),
  requestId: maybe,
  traceId: fc.option(fc.constant('4bf92f3577b34da6a3ce929d0e0e4736'), { nil: undefined }),
  decision: fc.constant('vended' as const),
  principal: fc.record({
    issuer: fc.constant('ci'),
    subject: text,
    claims: fc.dictionary(text, text, { maxKeys: 6 }),
  }),
  grant: fc.constantFrom('ops', 'g'.repeat(64)),
  database: fc.constantFrom('orders', 'd'.repeat(32)),
  user: text,
  identity: fc.constant('arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator'),
  fingerprint: fc.constant('f'.repeat(64)),
  cached: fc.constant(true),
  issuedAt: fc.constant('2026-11-23T10:00:00Z'),
  expiresAt: fc.constant('2026-11-23T10:15:00Z'),
  sourceIp: maybe,
  userAgent: maybe,
  instance: text,
})

function renderInParts(record: AuditRecord): string | undefined {
  const { principal, grant = '', database, user, identity, fingerprint, cached, issuedAt, expiresAt } = record
  const known = {
    principal: renderKnown({ principal }),
    token: renderKnown({ database, user, identity, fingerprint, cached, issuedAt, expiresAt }),
    instance: renderKnown({ instance: record.instance }),
  }
  if (known.principal === undefined || known.token === undefined || known.instance === undefined)
    return undefined
  return renderVend(record, {
    grant,
    ...known,
    principal: known.principal,
    token: known.token,
    instance: known.instance,
  })
}

test('renderVend renders the bytes of renderRecord, or leaves it to that', () => {
  let whole = 0
  fc.assert(
    fc.property(vend, record => {
      const line = renderInParts(record)
      if (line === undefined) whole++
      else expect(line).toBe(renderRecord(record))
    }),
    { numRuns: 500 },
  )
  expect(whole).toBeGreaterThan(0)
  expect(whole).toBeLessThan(500)
})

test('renderKnown leaves out what must be cut, and what would make a line too long', () => {
  const principal = { issuer: 'ci', subject: 's' }
  expect(renderKnown({ principal })).toBe(',"principal":{"issuer":"ci","subject":"s"}')
  expect(renderKnown({ principal: { ...principal, subject: 's'.repeat(513) } })).toBeUndefined()
  expect(renderKnown({ principal: { ...principal, claims: { a: 'y'.repeat(2048) } } })).toBeUndefined()
  expect(renderKnown({ user: 'u'.repeat(513) })).toBeUndefined()
  expect(renderKnown({})).toBe('')
})

test('the longest line of renderVend is no longer than a record may be', () => {
  const longest = 'x'.repeat(2048)
  const line = renderVend(
    {
      id: '0'.repeat(36),
      time: '2026-11-23T10:00:00.000Z',
      requestId: 'i'.repeat(512),
      sourceIp: 's'.repeat(64),
      userAgent: 'u'.repeat(256),
    },
    { principal: longest, token: longest, instance: longest, grant: 'g'.repeat(64) },
  )
  expect(Buffer.byteLength(line ?? '')).toBeLessThanOrEqual(8192)
})
