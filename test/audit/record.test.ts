import { expect, test } from 'vitest'
import { renderRecord } from '../../src/audit/record.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
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

test('renderRecord cuts long text and long claims where it always did', () => {
  const reason = renderRecord(record({ id: 'r3', decision: 'refused', reason: 'x'.repeat(600) }))
  expect(sha256Hex(reason)).toBe('d8330b63affd5157662bbffc2e6c0d0cd93cded110e1fa2fffc82aa9645c3537')
  const claims = { a: 'y'.repeat(9000), b: [1, 2] }
  const principal = { issuer: 'ci', subject: 's', claims }
  expect(sha256Hex(renderRecord(record({ id: 'r3', decision: 'refused', principal })))).toBe(
    '2c86261dac625b017bf5302d348ce66bcfb42ed3d26a19b0581493f68ad65ea4',
  )
})

test('renderRecord bounds the line, whatever callers send', () => {
  const long = 'x\u0000"\n'.repeat(100_000)
  const claims = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`c${i}`, [long, { long }]]))
  const principal = { issuer: 'github', subject: long, claims }
  const text = { requestId: long, reason: long, database: long, user: long, sourceIp: long, userAgent: long }
  const line = renderRecord(record({ ...text, refused: long, principal }))
  expect(line.length).toBeLessThan(64 * 1024)
  expect(line).not.toContain('\n')
  expect(JSON.parse(line).userAgent).toHaveLength(512)
  expect(Object.keys(JSON.parse(line).principal.claims)).toHaveLength(10)
})
