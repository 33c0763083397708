import { expect, test } from 'vitest'
import { promisesOf } from './promises.ts'
import { runSoak } from './run-soak.ts'

/** A short run of `npm run soak`, without wrong clocks: too short for trends, long enough for faults of most kinds. */
const SECONDS = 30

test('two instances on one table keep every promise while one thing after the other fails', async () => {
  const result = await runSoak({ seconds: SECONDS, seed: 'test', setsClocks: false })
  expect(promisesOf(result).filter(({ isKept }) => !isKept)).toEqual([])
  expect(result.deliveries.count).toBeGreaterThan(SECONDS)
  expect(result.disturbances.size).toBeGreaterThan(3)
}, 240_000)
