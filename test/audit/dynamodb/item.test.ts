import { describe, expect, test } from 'vitest'
import { auditItem, BY_PRINCIPAL, partitionsOf, principalKey } from '../../../src/audit/dynamodb/item.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { DAY_MS } from '../../../src/lib/iso-time.ts'
import { GOLDEN } from '../golden.ts'
import { line, record } from '../support.ts'

const TIME_MS = Date.parse(record().time)

describe('auditItem', () => {
  test('makes the attributes that it always did', () => {
    expect(auditItem(GOLDEN.vendedLine, { fallbackTimeMs: 0, retentionDays: 30 })).toEqual(GOLDEN.vendedItem)
    const fallbackTimeMs = Date.parse('2026-11-23T10:00:03.004Z')
    expect(auditItem('no JSON', { fallbackTimeMs })).toEqual(GOLDEN.noRecordItem)
  })

  test('makes the same key of a line whenever it is written', () => {
    const [early, late] = [1, TIME_MS + DAY_MS].map(fallbackTimeMs =>
      auditItem(line('a'), { fallbackTimeMs }),
    )
    expect(early).toEqual(late)
  })

  test('makes another key, by the hash of the line, if its own is taken', () => {
    const [own, beside] = [false, true].map(isKeyTaken =>
      auditItem(line('a'), { fallbackTimeMs: 0, isKeyTaken }),
    )
    expect(beside).toMatchObject({
      record: own?.record,
      sk: { S: expect.stringContaining(sha256Hex(line('a'))) },
    })
    expect(own?.sk?.S).not.toBe(beside?.sk?.S)
  })

  test('spreads a day over all its sixteen partitions', () => {
    const lines = Array.from({ length: 1000 }, (_, i) => line(`r${i}`))
    const partitions = new Set(lines.map(text => auditItem(text, { fallbackTimeMs: 0 }).pk?.S))
    expect([...partitions].sort()).toEqual(partitionsOf(TIME_MS))
    expect(partitions.size).toBe(16)
  })
})

test('principalKey is never longer than DynamoDB allows, nor shared by two principals', () => {
  const subjects = ['a', 'a'.repeat(3000), `${'a'.repeat(2999)}b`, '字'.repeat(1000)]
  const keys = subjects.map(subject => principalKey({ issuer: 'ci', subject }))
  expect(new Set(keys).size).toBe(4)
  for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThanOrEqual(2048)
})

test('the index of principals has the name that infra/tables.yml and docs/operations.md use', () => {
  expect(BY_PRINCIPAL).toBe('byPrincipal')
})
