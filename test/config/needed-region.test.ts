import { expect, test } from 'vitest'
import { findPartsWithoutRegion, isAwsNeeded } from '../../src/config/needed-region.ts'

const encryption = { type: 'kms', kmsKeyId: 'alias/jeton' } as const
const table = { type: 'dynamodb', table: 'jeton' } as const

test('findPartsWithoutRegion names tables whose region the configuration does not have', () => {
  expect(
    findPartsWithoutRegion({ store: { ...table, encryption }, audit: [{ type: 'stdout' }, table] }),
  ).toEqual(['store', 'audit[1]'])
  const here = { ...table, region: 'eu-west-1' }
  expect(findPartsWithoutRegion({ store: { ...here, encryption }, audit: [here] })).toEqual([])
  expect(findPartsWithoutRegion({ store: { type: 'memory' }, audit: [{ type: 'stdout' }] })).toEqual([])
})

test('isAwsNeeded is false for a jeton that calls nothing of AWS', () => {
  const alone = { databases: [], store: { type: 'memory' }, audit: [{ type: 'stdout' }] } as const
  expect(isAwsNeeded(alone)).toBe(false)
  expect(isAwsNeeded({ ...alone, audit: [table] })).toBe(true)
})
