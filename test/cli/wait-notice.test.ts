import { expect, test } from 'vitest'
import { createWaitNotice } from '../../src/cli/wait-notice.ts'
import { CallerError, temporaryFailure } from '../../src/client/errors.ts'

const giveUpAt = Date.parse('2026-11-23T12:03:20Z')
const throttled = new CallerError('too many\u001b[2J', { exitCode: 4, code: 'throttled', retryAfterMs: 7000 })
const waits = [
  { error: throttled, delayMs: 7000, giveUpAt },
  { error: throttled, delayMs: 2400, giveUpAt },
  { error: temporaryFailure('a.example cannot be reached'), delayMs: 400, giveUpAt },
]

function noticesOf(isTTY?: boolean): string[] {
  const lines: string[] = []
  const notice = createWaitNotice({
    write: text => lines.push(text),
    ...(isTTY !== undefined && { isTTY }),
  })
  for (const wait of waits) notice(wait)
  return lines
}

test('a terminal shows each wait: who asks for it, until when it goes on, and why', () => {
  expect(noticesOf(true)).toEqual([
    'jeton: the server asks to wait 7 s, trying until 2026-11-23T12:03:20Z: too many\\u001b[2J (throttled)\n',
    // the server asked for longer than is left
    'jeton: next try in 2 s, trying until 2026-11-23T12:03:20Z: too many\\u001b[2J (throttled)\n',
    'jeton: next try in 1 s, trying until 2026-11-23T12:03:20Z: a.example cannot be reached\n',
  ])
})

test.each([undefined, false])('elsewhere, the first wait alone is told (isTTY: %s)', isTTY => {
  expect(noticesOf(isTTY)).toEqual(noticesOf(true).slice(0, 1))
})
