import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTraceContext } from '../../src/telemetry/trace-context.ts'

test('each of several requests has its own trace until it ends, and one without has none', async () => {
  const { run, currentTraceId } = createTraceContext()
  const ask = (traceId: string | undefined, waits: number) =>
    run(traceId, async () => {
      for (let i = 0; i < waits; i++) await setImmediate()
      return currentTraceId()
    })
  expect(await Promise.all([ask('a', 1), ask('b', 5), ask(undefined, 3)])).toEqual(['a', 'b', undefined])
  expect(currentTraceId()).toBeUndefined()
  expect(await ask('c', 1)).toBe('c')
  await expect(run('d', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(currentTraceId()).toBeUndefined()
})
