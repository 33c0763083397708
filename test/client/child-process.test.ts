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
    get: (signal: NodeJS.Signals) => emitter.emit(signal, signal),
    held: () => emitter.eventNames().length,
  }
}

const sleeper = { command: 'sleep', args: ['60'], env: { PATH: process.env.PATH } }

describe('signals for a command', () => {
  test('are passed on, and do again what they did when it is over', async () => {
    const { host, get, held } = fakeHost(false)
    const signals = forwardSignals(host)
    const ended = signals.run(sleeper)
    get('SIGINT')
    expect(await ended).toEqual({ signal: 'SIGINT' })
    signals.release()
    expect(held()).toBe(0)
  })

  test('from a terminal are not passed on a second time', async () => {
    const { host, get } = fakeHost(true)
    const ended = forwardSignals(host).run(sleeper)
    get('SIGINT')
    get('SIGQUIT')
    expect(await Promise.race([ended, pause(100, 'still running')])).toBe('still running')
    get('SIGTERM')
    expect(await ended).toEqual({ signal: 'SIGTERM' })
  })

  test('that come before the command keep it from running', async () => {
    const { host, get } = fakeHost(false)
    const signals = forwardSignals(host)
    get('SIGWINCH')
    get('SIGTERM')
    get('SIGINT')
    expect(await signals.run({ ...sleeper, command: 'no-such-command-here' })).toEqual({ signal: 'SIGTERM' })
  })
})

describe('a command that cannot be run', () => {
  test.each([
    ['is not there', { command: 'no-such-command-here' }, 'ENOENT'],
    ['is a folder', { command: '/' }, 'EACCES'],
    ['is given too much', { args: ['x'.repeat(4_000_000)] }, 'E2BIG'],
    ['has no name', { command: '' }, 'ERR_INVALID_ARG_VALUE'],
  ])('says why: it %s', async (_what, over, code) => {
    expect(await forwardSignals(fakeHost(false).host).run({ ...sleeper, ...over })).toEqual({
      cannotRun: code,
    })
  })
})
