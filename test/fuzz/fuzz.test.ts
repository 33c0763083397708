import { expect, test } from 'vitest'
import { MAX_MIB } from './limits.ts'
import { runFuzz } from './run-fuzz.ts'

/** The share of `npm run fuzz` that every test run has; always the same requests. */
const REQUESTS = 4000

test('no request makes the server fail, or answer other than /openapi.json says', async () => {
  const { faults, statuses, endMib } = await runFuzz({ seed: 'jeton', count: REQUESTS })
  expect(Object.fromEntries(faults)).toEqual({})
  expect(endMib).toBeLessThan(MAX_MIB)
  // all kinds of replies were met, so the requests are not all refused at the door
  expect([...statuses.keys()]).toEqual(
    expect.arrayContaining(['200', '400', '401', '403', '404', '413', '415']),
  )
}, 120_000)
