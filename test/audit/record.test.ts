import { expect, test } from 'vitest'
import { renderRecord } from '../../src/audit/record.ts'
import { GOLDEN } from './golden.ts'
import { record } from './support.ts'

test('renderRecord renders the bytes that it always did', () => {
  expect(renderRecord(GOLDEN.vended)).toBe(GOLDEN.vendedLine)
  expect(renderRecord(GOLDEN.refused)).toBe(GOLDEN.refusedLine)
})

test('renderRecord keeps one order of members, whatever order they came in', () => {
  const reversed = Object.fromEntries(Object.entries(GOLDEN.vended).reverse())
  expect(renderRecord(reversed as unknown as typeof GOLDEN.vended)).toBe(GOLDEN.vendedLine)
})

test('renderRecord leaves out what is undefined', () => {
  expect(renderRecord(record({ grant: undefined }))).not.toContain('grant')
})

test('renderRecord cuts long text and says so', () => {
  const principal = { issuer: 'ci', subject: 's'.repeat(513) }
  const fields = { reason: 'x'.repeat(600), userAgent: 'y'.repeat(257), user: 'z'.repeat(512), principal }
  const rendered = JSON.parse(renderRecord(record({ decision: 'refused', ...fields })))
  expect(rendered).toMatchObject({
    reason: `${'x'.repeat(509)}…`,
    userAgent: `${'y'.repeat(253)}…`,
    user: fields.user,
    principal: { issuer: 'ci', subject: `${'s'.repeat(509)}…` },
    cut: ['reason', 'userAgent', 'principal.subject'],
  })
})

test('renderRecord puts cut JSON in the place of claims that are too long together, and says so', () => {
  const claims = { a: 'y'.repeat(9000), b: [1, 2] }
  const principal = { issuer: 'ci', subject: 's', claims }
  const rendered = JSON.parse(renderRecord(record({ decision: 'refused', principal })))
  expect(rendered.principal.claims).toEqual({ a: `"${'y'.repeat(1536 - 5)}…`, b: '[1,2]' })
  expect(rendered.cut).toEqual(['principal.claims'])
})

test('renderRecord does not say that something was cut if nothing was', () => {
  const fields = { userAgent: 'y'.repeat(256), principal: { issuer: 'ci', subject: '日'.repeat(170) } }
  const rendered = JSON.parse(renderRecord(record(fields)))
  expect(rendered).toMatchObject(fields)
  expect(rendered).not.toHaveProperty('cut')
})

test('renderRecord bounds the line, whatever callers send', () => {
  const long = 'x\u0000"\n'.repeat(100_000)
  const claims = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, [long, { long }]]))
  const principal = { issuer: 'github', subject: long, claims }
  const text = { requestId: long, reason: long, database: long, user: long, sourceIp: long, userAgent: long }
  const line = renderRecord(record({ ...text, refused: long, principal }))
  expect(Buffer.byteLength(line)).toBeLessThan(8192)
  expect(line).not.toContain('\n')
  expect(Buffer.byteLength(JSON.stringify(JSON.parse(line).userAgent))).toBeLessThanOrEqual(258)
  expect(Object.keys(JSON.parse(line).principal.claims)).toHaveLength(40)
})
