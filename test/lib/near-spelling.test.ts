import { expect, test } from 'vitest'
import { findNearSpelling } from '../../src/lib/near-spelling.ts'

const KEYS = ['host', 'port', 'resourceId', 'roleArn', 'users', 'billing_ro', 'billing_rw', 'audience']

test.each([
  ['hots', 'host'],
  ['prot', 'port'],
  ['resourceID', 'resourceId'],
  ['resource_id', 'resourceId'],
  ['role-arn', 'roleArn'],
  ['user', 'users'],
  ['billing-rw', 'billing_rw'],
  ['aud', 'audience'],
  ['rolArn', 'roleArn'],
])('findNearSpelling finds for %s %s', (name, meant) => {
  expect(findNearSpelling(name, KEYS)).toBe(meant)
})

test.each(['password', 'h', '', '-', 'postgresql', 'x'.repeat(100)])(
  'findNearSpelling finds nothing for %j',
  name => {
    expect(findNearSpelling(name, [...KEYS, name])).toBe(undefined)
  },
)

test('findNearSpelling compares a hundred candidates at most', () => {
  const many = Array.from({ length: 100 }, (_, i) => `other${i}`)
  expect(findNearSpelling('hots', [...many.slice(1), 'host'])).toBe('host')
  expect(findNearSpelling('hots', [...many, 'host'])).toBe(undefined)
})
