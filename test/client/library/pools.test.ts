import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTokens, isLoginRefused, type TokensOptions } from '../../../src/client/library/index.ts'
import { type ShiftedClock, shiftClock } from '../../support/clock/shifted-clock.ts'
import { canRun } from '../../support/databases/install.ts'
import { type LoginService, startLoginService } from '../../support/service/login-service.ts'
import { POOL_DRIVERS, type UserPool } from './pools.ts'

const MINUTE_MS = 60_000
/** As short as AWS gives them. */
const SESSION_MS = 15 * MINUTE_MS
const USERS = 5

let clock: ShiftedClock
let service: LoginService

function tokensOf(database: 'orders' | 'ledger', options: Partial<TokensOptions> = {}) {
  return createTokens({ database, url: service.url, credential: `ApiKey ${service.apiKey}`, ...options })
}

/** The database, and what it and the server are asked from now on. */
function observe(database: 'orders' | 'ledger') {
  const real = database === 'orders' ? service.postgres : service.mariadb
  const before = { logins: real.logins.length, requests: service.requests.length }
  return {
    restart: () => real.restart(),
    logins: () => real.logins.slice(before.logins),
    refusals: () => real.logins.slice(before.logins).filter(({ result }) => !result.ok),
    requests: () => service.requests.slice(before.requests),
  }
}

/** Users who query a pool without a pause, until they are told to stop: as many as it has connections. */
function startUsers(pool: UserPool) {
  const errors: unknown[] = []
  const connections = new Set<number>()
  let isOver = false
  const users = Array.from({ length: USERS }, async () => {
    while (!isOver) {
      try {
        const { name, connection } = await pool.query()
        expect(name).toBe('app_rw')
        connections.add(connection)
      } catch (cause) {
        errors.push(cause)
        await pause(20)
      }
    }
  })
  return {
    errors,
    /** Resolves when the pool has all its connections anew, so that none of its logins is under way. */
    async haveConnections() {
      connections.clear()
      await expect.poll(() => connections.size, { timeout: 20_000, interval: 20 }).toBe(USERS)
    },
    async stop() {
      isOver = true
      await Promise.all(users)
    },
  }
}

describe.runIf(await canRun(['postgres', 'mariadb']))('a pool', () => {
  beforeAll(async () => {
    clock = shiftClock()
    service = await startLoginService({ sessionMs: SESSION_MS })
  })
  afterAll(async () => {
    await service?.close()
    clock?.restore()
    vi.unstubAllEnvs()
  })

  describe.each(Object.entries(POOL_DRIVERS))('of %s', (_, { database, open }) => {
    test('outlives its tokens and its database, and none of its logins is refused', async () => {
      clock.advance(16 * MINUTE_MS)
      const seen = observe(database)
      const pool = await open(tokensOf(database), USERS)
      const users = startUsers(pool)
      await users.haveConnections()
      // past the end of the first token; then within the last minutes of the second; then past the end of the third
      for (const minutes of [16, 10, 16]) {
        clock.advance(minutes * MINUTE_MS)
        await seen.restart()
        await users.haveConnections()
      }
      await users.stop()
      await pool.end()
      expect(users.errors.filter(isLoginRefused)).toEqual([])
      expect(seen.refusals()).toEqual([])
      expect(seen.logins().length).toBeGreaterThanOrEqual(4 * USERS)
      const request = { body: { database, caPem: true }, status: 200 }
      expect(seen.requests()).toEqual([request, request, request, request])
    })

    test('of 50 that reconnects at once asks once', async () => {
      const pool = await open(tokensOf(database), 50)
      await pool.query()
      clock.advance(16 * MINUTE_MS)
      const seen = observe(database)
      const answers = await Promise.all(Array.from({ length: 50 }, () => pool.query()))
      await pool.end()
      expect(new Set(answers.map(({ name }) => name))).toEqual(new Set(['app_rw']))
      expect(seen.logins().length).toBeGreaterThanOrEqual(
        new Set(answers.map(({ connection }) => connection)).size - 1,
      )
      expect(seen.refusals()).toEqual([])
      expect(seen.requests()).toHaveLength(1)
    })

    test('has another token for its next login, once the database has refused one', async () => {
      clock.advance(16 * MINUTE_MS)
      const tokens = tokensOf(database)
      const first = await tokens.get()
      service.revoked.add(first.fingerprint)
      // sooner after a token was minted, the server gives no other
      clock.advance(11_000)
      const seen = observe(database)
      const pool = await open(tokens, 1)
      const error = await pool.query().catch(cause => cause)
      // mariadb's pool tries again by itself
      if (error instanceof Error) expect(isLoginRefused(error)).toBe(true)
      expect(await pool.query()).toMatchObject({ name: 'app_rw' })
      await pool.end()
      expect(seen.refusals()).toHaveLength(1)
      expect(seen.requests()).toEqual([
        { body: { database, caPem: true, refused: first.fingerprint }, status: 200 },
      ])
    })

    test('shows its user no refusal at all in `logIn`', async () => {
      clock.advance(16 * MINUTE_MS)
      const tokens = tokensOf(database)
      const first = await tokens.get()
      service.revoked.add(first.fingerprint)
      clock.advance(11_000)
      const seen = observe(database)
      const pool = await open(tokens, 1)
      expect(await tokens.logIn(() => pool.query())).toMatchObject({ name: 'app_rw' })
      await pool.end()
      expect(seen.refusals()).toHaveLength(1)
      expect((await tokens.get()).fingerprint).not.toBe(first.fingerprint)
    })
  })

  test('of pg says why when jeton gives no token, and not with a secret', async () => {
    const options = await tokensOf('orders', { waitMs: 0 }).pg()
    await service.sts.close()
    clock.advance(16 * MINUTE_MS)
    const pool = new pg.Pool(options)
    const error = await pool.query('SELECT 1').catch(cause => cause)
    await pool.end()
    expect(error).toMatchObject({ name: 'TokenError', code: 'temporarily_unavailable', isTemporary: true })
    expect(JSON.stringify(error)).not.toContain(service.apiKey)
  })
})
