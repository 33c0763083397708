import { expect, test } from 'vitest'
import { isWarmUp } from '../../src/lambda/warm-up.ts'
import { WARM_UPS } from '../support/lambda/events/events.ts'

test.each(WARM_UPS)('an event of %s is a warm-up', (_name, event) => {
  expect(isWarmUp(event)).toBe(true)
})

test.each([
  [undefined],
  ['warm'],
  [[]],
  [{ key1: 'value1', key2: 'value2', key3: 'value3' }],
  [{ source: 'aws.s3', 'detail-type': 'Object Created' }],
  [{ source: 7, type: { warm: true } }],
  [{ Records: [] }],
  [{ mapping: 'shipping', pinging: true }],
])('%j is none', event => {
  expect(isWarmUp(event)).toBe(false)
})
