import { expect, test } from 'vitest'
import { createChangeNotice } from '../../../src/client/agent/change-notice.ts'
import { failure } from '../../../src/client/errors.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'

/** A notice whose every attempt a test ends: well, or with a sentence. */
function startNotice({ retries = 3 } = {}) {
  const clock = virtualClock()
  const log = createLogRecorder()
  const end = new AbortController()
  const attempts: ((problem?: string) => void)[] = []
  const notice = createChangeNotice({
    tell: () =>
      new Promise((resolve, reject) => {
        attempts.push(problem => (problem === undefined ? resolve() : reject(failure(problem))))
      }),
    ...{ retries, clock, signal: end.signal, log },
  })
  return { notice, clock, log, attempts, end }
}

test('others are told once for all that changes before, and never twice at once', async () => {
  const { notice, attempts } = startNotice()
  notice.announce()
  notice.announce()
  await settle()
  expect(attempts).toHaveLength(1)
  notice.announce()
  notice.announce()
  await settle()
  expect(attempts).toHaveLength(1)
  attempts[0]?.()
  await settle()
  expect(attempts).toHaveLength(2)
  attempts[1]?.()
  expect(await notice.settled()).toBe(true)
  expect(attempts).toHaveLength(2)
})

test('a failure is tried again after 5, 10 and 20 s, and then not before the next change', async () => {
  const { notice, clock, log, attempts } = startNotice()
  notice.announce()
  for (const seconds of [5, 10, 20]) {
    await settle()
    attempts.at(-1)?.('its exit code is 3')
    const before = attempts.length
    await clock.advance(seconds * 1000 - 1)
    expect(attempts).toHaveLength(before)
    await clock.advance(1)
    expect(attempts).toHaveLength(before + 1)
  }
  attempts.at(-1)?.('its exit code is 3')
  expect(await notice.settled()).toBe(false)
  expect(notice.failures()).toBe(4)
  expect(log.lines.at(-1)).toMatchObject({
    level: 'error',
    fields: { event: 'agent_notice_failed' },
    msg: 'nobody was told that files have changed: its exit code is 3; it is not tried again before the next change',
  })
  await clock.advance(3_600_000)
  expect(attempts).toHaveLength(4)
  notice.announce()
  await settle()
  attempts.at(-1)?.()
  expect(await notice.settled()).toBe(true)
})

test('a change while it waits to try again is told with that', async () => {
  const { notice, clock, attempts } = startNotice()
  notice.announce()
  await settle()
  attempts[0]?.('no')
  await settle()
  notice.announce()
  await clock.advance(5000)
  attempts[1]?.()
  expect(await notice.settled()).toBe(true)
  expect(attempts).toHaveLength(2)
})

test('without retries one attempt is all, and the end of the agent ends a wait', async () => {
  const once = startNotice({ retries: 0 })
  once.notice.announce()
  await settle()
  once.attempts[0]?.('no')
  expect(await once.notice.settled()).toBe(false)

  const { notice, attempts, end } = startNotice()
  notice.announce()
  await settle()
  attempts[0]?.('no')
  await settle()
  end.abort()
  await notice.settled()
  expect(attempts).toHaveLength(1)
})
