import { expect, test } from 'vitest'
import { memoizeAsync, singleFlight, singleFlightByKey } from '../../src/lib/single-flight.ts'

/** Work that the test ends, one call after the other. */
function work() {
  const calls: { args: unknown[]; resolve: (value: string) => void; reject: (cause: unknown) => void }[] = []
  const start = (...args: unknown[]) =>
    new Promise<string>((resolve, reject) => {
      calls.push({ args, resolve, reject })
    })
  return { calls, start }
}

test('singleFlight runs the work once for concurrent callers', async () => {
  const { calls, start } = work()
  const fly = singleFlight(start)
  const results = Promise.all([fly(), fly(), fly()])
  expect(calls).toHaveLength(1)
  calls[0]!.resolve('one')
  expect(await results).toEqual(['one', 'one', 'one'])
})

test('singleFlight starts again once a flight has ended, and remembers nothing', async () => {
  const { calls, start } = work()
  const fly = singleFlight(start)
  const first = fly()
  calls[0]!.resolve('one')
  await first
  const second = fly()
  calls[1]!.resolve('two')
  expect(await second).toBe('two')
})

test('singleFlight rejects for all callers that joined, and starts again after that', async () => {
  const { calls, start } = work()
  const fly = singleFlight(start)
  const both = Promise.allSettled([fly(), fly()])
  calls[0]!.reject(new Error('no'))
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const next = fly()
  calls[1]!.resolve('two')
  expect(await next).toBe('two')
})

test.each(['resolve', 'reject'] as const)('singleFlight is over before callers see it %s', async how => {
  const { calls, start } = work()
  const fly = singleFlight(start)
  const seen: boolean[] = []
  const see = () => void seen.push(fly.isUnderWay())
  const both = Promise.all([fly().then(see, see), fly().then(see, see)])
  expect(fly.isUnderWay()).toBe(true)
  calls[0]![how]('end')
  await both
  expect(seen).toEqual([false, false])
})

test('singleFlight passes on the arguments of the call that starts it, and ignores those of calls that join', async () => {
  const fly = singleFlight(async (name: string, count: number) => `${name}${count}`)
  expect(await Promise.all([fly('a', 1), fly('b', 2)])).toEqual(['a1', 'a1'])
  expect(await fly('b', 2)).toBe('b2')
})

test('singleFlight forgets work that throws before it returns a promise', async () => {
  let fails = true
  const fly = singleFlight((): Promise<string> => {
    if (fails) throw new Error('at once')
    return Promise.resolve('well')
  })
  expect(() => fly()).toThrow('at once')
  expect(fly.isUnderWay()).toBe(false)
  fails = false
  expect(await fly()).toBe('well')
})

test('singleFlightByKey runs one flight for each key', async () => {
  const { calls, start } = work()
  const flights = singleFlightByKey<string>()
  const all = Promise.all([
    flights.run('a', () => start('a')),
    flights.run('a', () => start('not called')),
    flights.run('b', () => start('b')),
  ])
  expect(calls.map(({ args }) => args)).toEqual([['a'], ['b']])
  for (const [i, { resolve }] of calls.entries()) resolve(`${i}`)
  expect(await all).toEqual(['0', '0', '1'])
})

test('singleFlightByKey returns whether a key has a flight, and lets others join it', async () => {
  const { calls, start } = work()
  const flights = singleFlightByKey<string>()
  expect([flights.has('a'), flights.get('a')]).toEqual([false, undefined])
  const run = flights.run('a', start)
  expect([flights.has('a'), flights.has('b')]).toEqual([true, false])
  const joined = flights.get('a')
  calls[0]!.resolve('end')
  expect(await joined).toBe('end')
  expect(await run).toBe('end')
  expect([flights.has('a'), flights.get('a')]).toEqual([false, undefined])
})

test('singleFlightByKey forgets a flight that failed before callers see it', async () => {
  const { calls, start } = work()
  const flights = singleFlightByKey<string>()
  const seen = flights.run('a', start).catch(() => flights.has('a'))
  calls[0]!.reject(new Error('no'))
  expect(await seen).toBe(false)
})

test('memoizeAsync creates once, at the first call', async () => {
  let created = 0
  const get = memoizeAsync(async () => ++created)
  expect(created).toBe(0)
  expect(await Promise.all([get(), get()])).toEqual([1, 1])
  expect(await get()).toBe(1)
})

test('memoizeAsync rejects for all callers that waited, and tries again for the next', async () => {
  let tries = 0
  const get = memoizeAsync(async () => {
    if (++tries === 1) throw new Error('not now')
    return tries
  })
  const first = await Promise.allSettled([get(), get()])
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await get()).toBe(2)
  expect(await get()).toBe(2)
})
