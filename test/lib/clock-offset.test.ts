import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { middleMs, type Offset, offsetAfter } from '../../src/lib/clock-offset.ts'

const START = Date.parse('2026-11-23T10:00:00Z')

interface Exchange {
  /** How far the truth is ahead of the machine's clock. */
  offsetMs: number
  /** When the server writes its date, in true time. */
  writtenAt: number
  outMs: number
  backMs: number
}

/** The reply of a server with the right time, as the machine sees it. */
function reply({ offsetMs, writtenAt, outMs, backMs }: Exchange) {
  const date = Math.floor(writtenAt / 1000) * 1000
  const requestedAt = writtenAt - outMs - offsetMs
  return { date, requestedAt, receivedAt: writtenAt + backMs - offsetMs }
}

const latencyMs = (max: number) => fc.record({ outMs: fc.nat(max), backMs: fc.nat(max) })
const wrongOffsetMs = fc.integer({ min: 3300, max: 20 * 60_000 }).chain(ms => fc.constantFrom(ms, -ms))

/** Twenty moments that fall into all parts of a second, in any order, some seconds apart. */
const moments = fc
  .tuple(
    fc.shuffledSubarray(
      Array.from({ length: 20 }, (_, i) => i),
      { minLength: 20 },
    ),
    fc.array(fc.tuple(fc.nat(49), fc.integer({ min: 1, max: 5 })), { minLength: 20, maxLength: 20 }),
  )
  .map(([parts, steps]) => {
    let second = START
    return parts.map((part, i) => {
      const [within, seconds] = steps[i] ?? [0, 1]
      second += seconds * 1000
      return second + part * 50 + within
    })
  })

describe('offsetAfter, for a clock that is more than 2 s off,', () => {
  test('is within 0.15 s of the truth after 20 quick replies', () => {
    fc.assert(
      fc.property(
        wrongOffsetMs,
        moments,
        fc.array(latencyMs(100), { minLength: 20, maxLength: 20 }),
        (offsetMs, written, latencies) => {
          let known: Offset | undefined
          written.forEach((writtenAt, i) => {
            known = offsetAfter(known, reply({ offsetMs, writtenAt, ...latencies[i]! }))
          })
          expect(Math.abs(middleMs(known) - offsetMs)).toBeLessThanOrEqual(150)
        },
      ),
    )
  })

  test('never leaves what the replies prove, however slow they are', () => {
    const exchange = fc.record({ phaseMs: fc.nat(5000), latency: latencyMs(6000) })
    fc.assert(
      fc.property(wrongOffsetMs, fc.array(exchange, { minLength: 1 }), (offsetMs, exchanges) => {
        let known: Offset | undefined
        let writtenAt = START
        for (const { phaseMs, latency } of exchanges) {
          writtenAt += phaseMs
          const next = reply({ offsetMs, writtenAt, ...latency })
          known = offsetAfter(known, next)
          if (!known) continue
          expect(known.lowMs).toBeLessThanOrEqual(offsetMs)
          expect(known.highMs).toBeGreaterThanOrEqual(offsetMs)
          expect(middleMs(known)).toBeGreaterThanOrEqual(next.date - next.receivedAt - 1)
          expect(middleMs(known)).toBeLessThanOrEqual(next.date + 1000 - next.requestedAt + 1)
        }
      }),
    )
  })

  test('widens as time goes by, since clocks drift', () => {
    const quick = { outMs: 0, backMs: 0 }
    let known: Offset | undefined
    for (const writtenAt of [START, START + 999])
      known = offsetAfter(known, reply({ offsetMs: 60_000, writtenAt, ...quick }))
    expect(Number(known?.highMs) - Number(known?.lowMs)).toBeLessThan(2)
    const halfAnHour = 30 * 60_000
    const drifted = 60_000 + halfAnHour * 9e-5
    const writtenAt = START + halfAnHour + 500
    const later = offsetAfter(known, reply({ offsetMs: drifted, writtenAt, ...quick }))
    expect(later?.lowMs).toBeLessThanOrEqual(drifted)
    expect(later?.highMs).toBeGreaterThanOrEqual(drifted)
  })

  test('follows when the machine sets its clock right, or wrong in another way', () => {
    fc.assert(
      fc.property(wrongOffsetMs, wrongOffsetMs, latencyMs(100), (first, second, latency) => {
        fc.pre(Math.abs(first - second) > 3000)
        const known = offsetAfter(undefined, reply({ offsetMs: first, writtenAt: START, ...latency }))
        expect(known).toBeDefined()
        const later = { writtenAt: START + 5000, ...latency }
        expect(offsetAfter(known, reply({ offsetMs: 0, ...later }))).toBeUndefined()
        const moved = offsetAfter(known, reply({ offsetMs: second, ...later }))
        expect(Math.abs(middleMs(moved) - second)).toBeLessThanOrEqual(601)
      }),
    )
  })
})

describe('offsetAfter, for a clock that is right, or nearly so,', () => {
  test('corrects nothing, however slow the replies are', () => {
    const exchange = fc.record({ phaseMs: fc.nat(5000), latency: latencyMs(60_000) })
    fc.assert(
      fc.property(
        fc.integer({ min: -2000, max: 2000 }),
        fc.array(exchange, { minLength: 1 }),
        (offsetMs, exchanges) => {
          let writtenAt = START
          for (const { phaseMs, latency } of exchanges) {
            writtenAt += phaseMs
            expect(offsetAfter(undefined, reply({ offsetMs, writtenAt, ...latency }))).toBeUndefined()
          }
        },
      ),
    )
  })
})

describe('offsetAfter keeps what it knows', () => {
  const known = { lowMs: 60_000, highMs: 61_000, at: START }

  test('when the date is invalid', () => {
    expect(
      offsetAfter(undefined, { date: Number.NaN, requestedAt: START, receivedAt: START }),
    ).toBeUndefined()
    expect(offsetAfter(known, { date: Number.NaN, requestedAt: START, receivedAt: START })).toBe(known)
  })

  test("when the machine's clock was put back while the reply was under way", () => {
    expect(offsetAfter(known, { date: START, requestedAt: START, receivedAt: START - 1 })).toBe(known)
  })
})
