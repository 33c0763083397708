import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startTarget, type Target } from './target.ts'

/** An entitled caller that takes what it can get, beside callers of other grants on the same database. */
const PER_SECOND = 14
/** A wait for a slot of the own share, once more, and a busy machine. */
const MAX_WAIT_MS = 15_000
const grantsFor = (newTokensPerSecond: number) => (environment: Target['environment']) => {
  const { databases } = environment.config() as { databases: { orders: object } }
  return {
    databases: { orders: { ...databases.orders, limits: { newTokensPerSecond } } },
    grants: [
      {
        name: 'swarm',
        principal: { issuer: 'pinned', subject: 'swarm-*' },
        database: 'orders',
        users: ['app_ro'],
      },
      {
        name: 'others',
        principal: { issuer: 'pinned', subject: 'other-*' },
        database: 'orders',
        users: ['migrator'],
      },
    ].map(grant => ({ ...grant, session: 'per-principal' })),
  }
}

interface Reply {
  status: number
  retryAfterMs: number
  body: { fingerprint?: string; code?: string }
}

function callers({ port, signer }: Target) {
  const jwts = new Map<string, string>()
  async function ask(subject: string, user: string, refused?: string): Promise<Reply> {
    const jwt = jwts.get(subject) ?? signer.jwt({ claims: { sub: subject } })
    jwts.set(subject, jwt)
    const response = await fetch(`http://127.0.0.1:${port}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
      body: JSON.stringify({ database: 'orders', user, refused }),
    })
    const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000
    return { status: response.status, retryAfterMs, body: (await response.json()) as Reply['body'] }
  }

  /** Returns how long (ms) a caller that honours `Retry-After` waits for its token; it gives up when that was too long. */
  async function waitOf(subject: string): Promise<number> {
    const startedAt = Date.now()
    const waitedMs = () => Date.now() - startedAt
    for (;;) {
      const { status, retryAfterMs } = await ask(subject, 'migrator')
      if (status === 200 || waitedMs() > MAX_WAIT_MS) return waitedMs()
      await pause(Math.min(retryAfterMs, MAX_WAIT_MS))
    }
  }

  /** Lets newcomers of another grant come one after the other; returns how long each waited. */
  async function waitsOfNewcomers(count: number): Promise<number[]> {
    const waits: Promise<number>[] = []
    for (let i = 0; i < count; i++) {
      waits.push(waitOf(`other-${i}`))
      await pause(700)
    }
    return Promise.all(waits)
  }

  return { ask, waitOf, waitsOfNewcomers }
}

describe('a swarm of one grant', () => {
  test('that rotates its subject leaves newcomers of another grant their share', async () => {
    const target = await startTarget({ config: grantsFor(PER_SECOND) })
    const { ask, waitsOfNewcomers } = callers(target)
    let isOver = false
    let next = 0
    const swarm = Array.from({ length: 170 }, async () => {
      while (!isOver) {
        const { status, retryAfterMs } = await ask(`swarm-${next++}`, 'app_ro')
        // it does not wait as long as it is told
        if (status !== 200) await pause(Math.min(retryAfterMs, 200))
      }
    })
    await pause(1500)
    const waits = await waitsOfNewcomers(7)
    isOver = true
    await Promise.all(swarm)
    expect(Math.max(...waits)).toBeLessThan(MAX_WAIT_MS)
  }, 120_000)

  test('that reports each of its tokens as refused leaves newcomers theirs, and STS in peace', async () => {
    const target = await startTarget({ config: grantsFor(PER_SECOND) })
    const { sts } = target.environment
    const { ask, waitsOfNewcomers } = callers(target)
    let isOver = false
    const fingerprints = new Map<string, string>()
    const swarm = Array.from({ length: 150 }, async (_, i) => {
      const subject = `swarm-${i}`
      while (!isOver) {
        const { body } = await ask(subject, 'app_ro', fingerprints.get(subject))
        if (body.fingerprint !== undefined) fingerprints.set(subject, body.fingerprint)
        await pause(100)
      }
    })
    await pause(13_000)
    const [callsBefore, startedAt] = [sts.calls.length, Date.now()]
    const waits = await waitsOfNewcomers(7)
    const seconds = (Date.now() - startedAt) / 1000
    const calls = sts.calls.length - callsBefore
    isOver = true
    await Promise.all(swarm)
    expect(Math.max(...waits)).toBeLessThan(MAX_WAIT_MS)
    expect(calls).toBeLessThanOrEqual(PER_SECOND * (seconds + 1))
  }, 120_000)
})

describe('Retry-After', () => {
  test('does not grow because the same token is asked for again', async () => {
    const { ask } = callers(await startTarget({ config: grantsFor(0.15) }))
    expect((await ask('other-first', 'migrator')).status).toBe(200)
    const startedAt = Date.now()
    const dueAt: number[] = []
    for (let i = 0; i < 5; i++) {
      const { status, retryAfterMs } = await ask('other-next', 'migrator')
      expect(status).toBe(429)
      dueAt.push(Date.now() - startedAt + retryAfterMs)
      await pause(250)
    }
    // a second's slot is 6.7 s away; whole seconds, and the spread of promises, are the rest
    expect(Math.max(...dueAt)).toBeLessThan(11_000)
  }, 60_000)

  test('is kept: who comes when it says gets the token', async () => {
    const { ask } = callers(await startTarget({ config: grantsFor(0.15) }))
    await ask('other-first', 'migrator')
    const { status, retryAfterMs } = await ask('other-next', 'migrator')
    expect(status).toBe(429)
    await pause(retryAfterMs)
    expect((await ask('other-next', 'migrator')).status).toBe(200)
  }, 60_000)

  test('of one caller does not depend on how often another asks', async () => {
    const { ask } = callers(await startTarget({ config: grantsFor(0.15) }))
    await ask('other-first', 'migrator')
    for (let i = 0; i < 30; i++) await ask('swarm-greedy', 'app_ro')
    const { status, retryAfterMs } = await ask('other-next', 'migrator')
    expect(status).toBe(429)
    // one slot for each of the two
    expect(retryAfterMs).toBeLessThan(16_000)
  }, 60_000)
})

test('one bad credential a second from everybody costs nobody a slot', async () => {
  const target = await startTarget({ config: grantsFor(PER_SECOND) })
  const { waitOf } = callers(target)
  for (let i = 0; i < 60; i++) await target.attack({ jwt: 'a.b.c' })
  expect(await waitOf('other-1')).toBeLessThan(MAX_WAIT_MS)
  expect(target.environment.sts.calls).toHaveLength(1)
})
