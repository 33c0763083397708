import { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { forwardSignals, type SignalHost } from '../../src/client/child-process.ts'

function fakeHost(isTTY: boolean) {
  const emitter = new EventEmitter()
  const host: SignalHost = {
    on: (signal, listener) => emitter.on(signal, listener),
    off: (signal, listener) => emitter.off(signal, listener),
    kill: () => expect.unreachable(),
    pid: process.pid,
    stdin: { isTTY },
  }
  return {
    host,
    receive: (signal: NodeJS.Signals) => emitter.emit(signal, signal),
    caughtSignals: () => emitter.eventNames().length,
  }
}

const sleeper = { command: 'sleep', args: ['60'], env: { PATH: process.env.PATH } }

describe('forwardSignals', () => {
  test('forwards signals to the command, and no longer catches them once released', async () => {
    const { host, receive, caughtSignals } = fakeHost(false)
    const forwarder = forwardSignals(host)
    const ended = forwarder.run(sleeper)
    receive('SIGINT')
    expect(await ended).toEqual({ signal: 'SIGINT' })
    forwarder.release()
    expect(caughtSignals()).toBe(0)
  })

  test('does not forward what a terminal sends to the whole group', async () => {
    const { host, receive } = fakeHost(true)
    const ended = forwardSignals(host).run(sleeper)
    receive('SIGINT')
    receive('SIGQUIT')
    expect(await Promise.race([ended, pause(100, 'still running')])).toBe('still running')
    receive('SIGTERM')
    expect(await ended).toEqual({ signal: 'SIGTERM' })
  })

  test('does not start a command after a signal that would have ended it', async () => {
    const { host, receive } = fakeHost(false)
    const forwarder = forwardSignals(host)
    receive('SIGWINCH')
    receive('SIGTERM')
    receive('SIGINT')
    expect(await forwarder.interrupted).toBe('SIGTERM')
    expect(await forwarder.run({ ...sleeper, command: 'no-such-command-here' })).toEqual({
      signal: 'SIGTERM',
    })
  })
})

describe('a command that cannot be started', () => {
  test.each([
    ['is not there', { command: 'no-such-command-here' }, 'ENOENT'],
    ['is a folder', { command: '/' }, 'EACCES'],
    ['is given too much', { args: ['x'.repeat(4_000_000)] }, 'E2BIG'],
    ['has no name', { command: '' }, 'ERR_INVALID_ARG_VALUE'],
  ])('has the system code for the reason: it %s', async (_what, over, code) => {
    expect(await forwardSignals(fakeHost(false).host).run({ ...sleeper, ...over })).toEqual({
      startFailure: code,
    })
  })
})
