import { expect, test } from 'vitest'
import { renderRecord } from '../../src/audit/record.ts'
import { record } from './support.ts'

const full = record({
  requestId: 'q',
  principal: { issuer: 'github', subject: 's', claims: { ref: 'refs/heads/main', deep: { a: [1, 'b'] } } },
  grant: 'orders-deploy',
  cached: true,
  sourceIp: '192.0.2.1',
})

test('renders one line whose members keep one order, whatever order they came in', () => {
  const text = renderRecord(full)
  expect(text).toBe(
    renderRecord(Object.fromEntries(Object.entries(full).reverse()) as unknown as typeof full),
  )
  expect(Object.keys(JSON.parse(text)).slice(0, 6)).toEqual([
    'type',
    'v',
    'id',
    'time',
    'requestId',
    'decision',
  ])
  expect(JSON.parse(text)).toEqual({ type: 'jeton.audit', v: 1, ...full })
})

test('leaves out what is undefined', () => {
  expect(renderRecord(record({ grant: undefined }))).not.toContain('grant')
})

test('is bounded, whatever callers send', () => {
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
