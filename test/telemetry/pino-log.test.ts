import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { escapeJson } from '../../src/lib/printable.ts'
import { createPinoLog } from '../../src/telemetry/pino-log.ts'
import { hostileText, RAW } from '../support/hostile-text.ts'

let before: NodeJS.WarningListener[]
beforeEach(() => {
  before = process.listeners('warning')
})
afterEach(() => {
  process.removeAllListeners('warning')
  for (const listener of before) process.on('warning', listener)
})

test('a line of createPinoLog shows nothing unprintable, and parses to what was logged', () => {
  fc.assert(
    fc.property(hostileText, text => {
      let written = ''
      const stream = {
        write(line: string) {
          written += line
        },
      }
      const log = createPinoLog(escapeJson, stream)
      log.warn({ event: 'stopping', subject: text, list: [{ text }], err: new Error(text) }, text)
      expect(written.slice(0, -1)).not.toMatch(RAW)
      expect(written.at(-1)).toBe('\n')
      expect(JSON.parse(written)).toMatchObject({
        event: 'stopping',
        subject: text,
        list: [{ text }],
        err: { message: text },
        msg: text,
      })
    }),
  )
})
