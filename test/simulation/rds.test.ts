import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRds, IDENTITIES_PER_SECOND, type Password, TOKENS_PER_SECOND } from './rds.ts'
import { busiestSecond } from './sliding-second.ts'

function createRdsAt(start = 0) {
  let now = start
  const rds = createRds({ now: () => now })
  return {
    rds,
    login(at: number, password: Password) {
      now = at
      return rds.login(password)
    },
  }
}

const newPassword = (n: number): Password => ({ token: `t${n}`, identity: `i${n}` })

test('login admits 20 identities within a second, and a 21st only a second after the first', () => {
  const { login } = createRdsAt()
  const results = Array.from({ length: 21 }, (_, i) => login(i, newPassword(i)))
  expect(results).toEqual([...Array(IDENTITIES_PER_SECOND).fill(true), false])
  expect(login(999, newPassword(30))).toBe(false)
  expect(login(1000, newPassword(31))).toBe(true)
  expect(login(1000, newPassword(32))).toBe(false)
})

test('login admits 200 tokens of one identity within a second', () => {
  const { rds, login } = createRdsAt()
  for (let i = 0; i < 250; i++) login(i, { token: `t${i}`, identity: 'one' })
  expect(rds.throttled).toBe(250 - TOKENS_PER_SECOND)
  expect(rds.busiestSecond).toBe(250)
})

test('login admits a token used before at any rate, but not one that was throttled', () => {
  const { rds, login } = createRdsAt()
  for (let i = 0; i < 20; i++) login(0, newPassword(i))
  for (let i = 0; i < 1000; i++) expect(login(1, newPassword(i % 20))).toBe(true)
  expect(login(2, newPassword(20))).toBe(false)
  expect(login(3, newPassword(20))).toBe(false)
  expect([rds.logins, rds.throttled]).toEqual([1022, 2])
  expect(rds.seconds).toEqual([{ admitted: 1020, throttled: 2 }])
})

/** The same rules, decided by looking at all earlier logins. */
function admittedByOracle(attempts: readonly { at: number; password: Password }[]): boolean[] {
  const admitted: { at: number; password: Password }[] = []
  const used = new Set<string>()
  return attempts.map(({ at, password }) => {
    if (used.has(password.token)) return true
    const recent = [...admitted.filter(other => other.at > at - 1000), { at, password }]
    const identities = new Set(recent.map(other => other.password.identity)).size
    if (identities > IDENTITIES_PER_SECOND || recent.length > TOKENS_PER_SECOND) return false
    admitted.push({ at, password })
    used.add(password.token)
    return true
  })
}

test('login decides like an oracle that looks at all earlier logins', () => {
  const attempt = fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 1100 })),
    identity: fc.integer({ min: 0, max: 40 }),
    token: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 300, size: 'max' }), steps => {
      let at = 0
      const attempts = steps.map(({ afterMs, identity, token }) => {
        at += afterMs
        return { at, password: { token: `${identity}/${token}`, identity: `${identity}` } }
      })
      const { login } = createRdsAt()
      expect(attempts.map(each => login(each.at, each.password))).toEqual(admittedByOracle(attempts))
    }),
    { numRuns: 200 },
  )
})

test('busiestSecond looks at every window of a second, not at the seconds of the clock', () => {
  expect(busiestSecond([900, 950, 1000, 1050, 1899, 1900])).toBe(5)
  expect(busiestSecond([])).toBe(0)
})
