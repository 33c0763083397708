import { expect, test } from 'vitest'
import { traceIdOf } from '../../src/lib/traceparent.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

test.each([
  `00-${ID}-${PARENT}-01`,
  `00-${ID}-${PARENT}-00`,
  // of versions to come, whose rest is ignored
  `01-${ID}-${PARENT}-01`,
  `cc-${ID}-${PARENT}-01-what-the-future-brings`,
])('traceIdOf reads %j', header => {
  expect(traceIdOf(header)).toBe(ID)
})

test.each([
  undefined,
  '',
  ID,
  `ff-${ID}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${ID}-${'0'.repeat(16)}-01`,
  `00-${ID.toUpperCase()}-${PARENT}-01`,
  `00-${ID}-${PARENT}-01-more`,
  `00-${ID}-${PARENT}-1`,
  ` 00-${ID}-${PARENT}-01`,
  // two headers, joined
  `00-${ID}-${PARENT}-01, 00-${ID}-${PARENT}-01`,
  `00-${ID}-${PARENT}-01\n`,
  `cc-${ID}-${PARENT}-01-${'x'.repeat(512)}`,
])('traceIdOf ignores %j', header => {
  expect(traceIdOf(header)).toBeUndefined()
})
