import { expect, onTestFinished, test } from 'vitest'
import { createAgentHealth } from '../../../src/client/agent/agent-health.ts'
import { createLoginStates } from '../../../src/client/agent/login-states.ts'
import { runAgent } from '../../../src/client/agent/run-agent.ts'
import { createSleeper } from '../../../src/client/agent/sleeper.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { freshReply } from '../library/questions.ts'
import { busy, DOWN, keepLogins, REFUSED } from './tokens.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

/** An agent that runs in virtual time, whose files change as a test says. */
async function startAgent(...words: string[]) {
  const kept = keepLogins(words)
  const { clock, tokens } = kept
  const end = new AbortController()
  const log = createLogRecorder()
  const sleeper = createSleeper({ clock, signal: end.signal })
  const logins = createLoginStates({ tokens, clock, log })
  const files = { looks: 0, changes: [] as boolean[] }
  const notices = { count: 0 }
  const health = createAgentHealth({
    isStarted: () => true,
    logins: logins.states,
    files: () => [],
    noticeFailures: () => 0,
    clock,
  })
  await logins.renew()
  const ended = runAgent({
    logins,
    files: {
      async write() {
        files.looks++
        return files.changes.shift() ?? false
      },
      states: () => [],
    },
    notice: {
      announce() {
        notices.count++
      },
      settled: async () => true,
      failures: () => 0,
    },
    sleeper,
    signal: end.signal,
  })
  onTestFinished(() => end.abort())
  const events = (level: string) =>
    log.lines.filter(line => line.level === level).map(({ fields }) => fields.event)
  return { kept, clock, end, log, sleeper, files, notices, health, ended, events }
}

test('files are looked after every 10 s, and others are told when one has changed', async () => {
  const { clock, files, notices } = await startAgent('orders')
  files.changes = [false, true, false]
  await clock.advance(31 * SECOND_MS)
  expect([files.looks, notices.count]).toEqual([3, 1])
})

test('tokens are renewed for an hour, each about every nine minutes, and never once in between', async () => {
  const { kept, clock, health } = await startAgent('orders', 'ledger')
  for (let i = 0; i < 60; i++) {
    await clock.advance(MINUTE_MS)
    expect(health.problem()).toBeUndefined()
  }
  for (const asked of Object.values(kept.asked)) expect(asked).toEqual([0, 540, 1080, 1620, 2160, 2700, 3240])
})

test('an outage: the log says once a minute that the last token is kept, then that it has ended, and it recovers', async () => {
  const { kept, clock, health, events, log } = await startAgent('orders')
  kept.answer = DOWN
  await clock.advance(10 * MINUTE_MS - 1)
  expect(events('warn')).toEqual(['agent_renewal_failed'])
  expect(log.lines.at(-1)).toMatchObject({
    fields: { database: 'orders' },
    msg: 'there is no newer token for orders, and the last one is kept, which is still good: jeton cannot be reached',
  })
  expect(health.problem()).toBeUndefined()
  await clock.advance(4 * MINUTE_MS)
  expect(events('warn').length).toBeGreaterThan(3)
  expect(events('warn').length).toBeLessThan(7)
  expect(events('error')).toEqual([])

  await clock.advance(2 * MINUTE_MS)
  expect(events('error').slice(0, 1)).toEqual(['agent_token_ended'])
  expect(events('error').length).toBeLessThan(4)
  expect(health.problem()).toBe('the token for orders has ended')
  expect(JSON.stringify(log.lines)).not.toContain('X-Amz-Signature')

  kept.answer = freshReply()
  await clock.advance(40 * SECOND_MS)
  expect(health.problem()).toBeUndefined()
  expect(events('info').at(-1)).toBe('agent_token_renewed')
})

test('that a token has ended is said at once, although the server asked to be left alone', async () => {
  const { kept, clock, events, health } = await startAgent('orders')
  kept.answer = busy(86_400)
  await clock.advance(15 * MINUTE_MS)
  expect(events('error')).toEqual(['agent_token_ended'])
  expect(health.problem()).toBe('the token for orders has ended')
})

test('one login that is refused keeps no other from its token', async () => {
  const { kept, clock, health, log } = await startAgent('orders', 'ledger')
  kept.answer = login => (login.name === 'ledger' ? REFUSED : freshReply())
  await clock.advance(20 * MINUTE_MS)
  expect(kept.asked.orders).toEqual([0, 540, 1080])
  expect(health.problem()).toBe('the token for ledger has ended')
  const line = log.lines.find(({ fields }) => fields.event === 'agent_renewal_failed')
  expect(line?.fields).toMatchObject({ database: 'ledger', code: 'access_denied' })
})

test('a machine that slept renews within 10 s of waking up', async () => {
  const { kept, clock } = await startAgent('orders')
  await clock.advance(MINUTE_MS)
  kept.aheadMs = 12 * MINUTE_MS
  await clock.advance(10 * SECOND_MS)
  expect(kept.asked.orders).toHaveLength(2)
})

test('a clock that is put back by an hour makes no token last longer', async () => {
  const { kept, clock, health } = await startAgent('orders')
  await clock.advance(MINUTE_MS)
  kept.aheadMs = -60 * MINUTE_MS
  await clock.advance(19 * MINUTE_MS)
  expect(kept.asked.orders).toEqual([0, 540, 1080])
  expect(health.problem()).toBe(undefined)
})

test('who wakes it has every token asked for and every file looked at, at once', async () => {
  const { kept, clock, sleeper, files } = await startAgent('orders', 'ledger')
  sleeper.wake()
  await clock.advance(1)
  expect(kept.asked).toEqual({ orders: [0, 0], ledger: [0, 0] })
  expect(files.looks).toBe(1)
})

test('it ends when it is told to, in the middle of a sleep', async () => {
  const { end, ended } = await startAgent('orders')
  end.abort()
  expect(await ended).toBeUndefined()
})

test('what it measures', async () => {
  const { kept, clock, health } = await startAgent('orders', 'ledger')
  kept.answer = login => (login.name === 'ledger' ? DOWN : freshReply())
  await clock.advance(9.5 * MINUTE_MS)
  const numbers = Object.fromEntries(
    health.metrics().map(({ name, samples }) => [name, samples.map(({ value }) => value)]),
  )
  const now = Math.round(clock.now() / 1000)
  expect(numbers.jeton_agent_token_expiry_timestamp_seconds).toEqual([now + 14.5 * 60, now + 5.5 * 60])
  expect(numbers.jeton_agent_renewals_total).toEqual([2, 1])
  expect(numbers.jeton_agent_renewal_failures_total?.[0]).toBe(0)
  expect(numbers.jeton_agent_renewal_failures_total?.[1]).toBeGreaterThan(2)
})
