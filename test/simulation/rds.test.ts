import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRds, IDENTITIES_PER_SECOND, type Login, TOKENS_PER_SECOND } from './rds.ts'
import { busiestSecond } from './sliding-second.ts'

function rdsAt(start = 0) {
  let now = start
  const rds = createRds({ now: () => now })
  return {
    rds,
    login(at: number, login: Login) {
      now = at
      return rds.login(login)
    },
  }
}

const newToken = (n: number): Login => ({ token: `t${n}`, identity: `i${n}` })

test('20 identities may come in within a second, the 21st not; a second after the first it may', () => {
  const { login } = rdsAt()
  const results = Array.from({ length: 21 }, (_, i) => login(i, newToken(i)))
  expect(results).toEqual([...Array(IDENTITIES_PER_SECOND).fill(true), false])
  expect(login(999, newToken(30))).toBe(false)
  expect(login(1000, newToken(31))).toBe(true)
  expect(login(1000, newToken(32))).toBe(false)
})

test('of one identity 200 tokens may come in within a second', () => {
  const { rds, login } = rdsAt()
  for (let i = 0; i < 250; i++) login(i, { token: `t${i}`, identity: 'one' })
  expect(rds.throttled).toBe(250 - TOKENS_PER_SECOND)
  expect(rds.busiestSecond).toBe(250)
})

test('a token used before is free, one that was throttled is not', () => {
  const { rds, login } = rdsAt()
  for (let i = 0; i < 20; i++) login(0, newToken(i))
  for (let i = 0; i < 1000; i++) expect(login(1, newToken(i % 20))).toBe(true)
  expect(login(2, newToken(20))).toBe(false)
  expect(login(3, newToken(20))).toBe(false)
  expect([rds.logins, rds.throttled]).toEqual([1022, 2])
})

/** The same rules, told by looking at everything that ever happened. */
function oracle(logins: readonly { at: number; login: Login }[]): boolean[] {
  const admitted: { at: number; login: Login }[] = []
  const used = new Set<string>()
  return logins.map(({ at, login }) => {
    if (used.has(login.token)) return true
    const recent = [...admitted.filter(one => one.at > at - 1000), { at, login }]
    const identities = new Set(recent.map(one => one.login.identity)).size
    if (identities > IDENTITIES_PER_SECOND || recent.length > TOKENS_PER_SECOND) return false
    admitted.push({ at, login })
    used.add(login.token)
    return true
  })
}

test('judges as a judge does who looks at everything', () => {
  const some = fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 1100 })),
    identity: fc.integer({ min: 0, max: 40 }),
    token: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(some, { maxLength: 300, size: 'max' }), steps => {
      let at = 0
      const logins = steps.map(({ afterMs, identity, token }) => {
        at += afterMs
        return { at, login: { token: `${identity}/${token}`, identity: `${identity}` } }
      })
      const { login } = rdsAt()
      expect(logins.map(one => login(one.at, one.login))).toEqual(oracle(logins))
    }),
    { numRuns: 200 },
  )
})

test('the busiest second is the most in any window, not in any second of the clock', () => {
  expect(busiestSecond([900, 950, 1000, 1050, 1899, 1900])).toBe(5)
  expect(busiestSecond([])).toBe(0)
})
