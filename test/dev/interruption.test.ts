import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { catchInterruption } from '../../src/dev/interruption.ts'
import { endWithTerminal } from '../../src/dev/terminal.ts'

function createHost() {
  return Object.assign(new EventEmitter(), {
    stdout: new EventEmitter(),
    stderr: new EventEmitter(),
    pid: 7,
    killed: [] as unknown[],
    kill(...call: unknown[]) {
      this.killed.push(call)
    },
  })
}

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s interrupts, with the exit code of shells', async (signal, exitCode) => {
  const host = createHost()
  const interruption = catchInterruption(host)
  expect(interruption.signal.aborted).toBe(false)
  host.emit(signal)
  expect(interruption.signal.aborted).toBe(true)
  expect(await interruption.exitCode).toBe(exitCode)
})

test.each([
  ['EPIPE', 0],
  ['ENOSPC', 1],
])('stdout that takes no more (%s) interrupts; stderr does not', async (code, exitCode) => {
  const cause = Object.assign(new Error('write'), { code })
  const host = createHost()
  const interruption = catchInterruption(host)
  host.stderr.emit('error', cause)
  expect(interruption.signal.aborted).toBe(false)
  host.stdout.emit('error', cause)
  expect(interruption.signal.aborted).toBe(true)
  expect(await interruption.exitCode).toBe(exitCode)
})

test('a SIGHUP ends a server whose terminal is gone, and no other', () => {
  let hasTerminal = true
  const host = createHost()
  endWithTerminal(host, () => hasTerminal)
  host.emit('SIGHUP')
  expect(host.killed).toEqual([])
  hasTerminal = false
  host.emit('SIGHUP')
  expect(host.killed).toEqual([[7, 'SIGTERM']])

  const without = createHost()
  endWithTerminal(without, () => false)
  without.emit('SIGHUP')
  expect(without.killed).toEqual([])
})
