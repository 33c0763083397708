import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeUnprintable } from '../../src/lib/printable.ts'
import { createReadableLine } from '../../src/telemetry/readable-line.ts'
import { hostileText, RAW } from '../support/hostile-text.ts'

const TIME = '2026-11-23T10:00:00.000Z'
const plain = createReadableLine({ escapeUnprintable, hasColors: false })
const coloured = createReadableLine({ escapeUnprintable, hasColors: true })

const json = (fields: object) =>
  `${JSON.stringify({ level: 'warn', time: TIME, event: 'stopping', ...fields })}\n`

describe('createReadableLine', () => {
  test('writes time, level, event, sentence and members in a line', () => {
    const line = json({
      role: 'arn:aws:iam::123456789012:role/jeton',
      reason: 'a "no"',
      waitMs: 7,
      msg: 'it ends',
    })
    expect(plain(line)).toBe(
      `${TIME} WARN  stopping  it ends  role=arn:aws:iam::123456789012:role/jeton reason="a \\"no\\"" waitMs=7\n`,
    )
    expect(plain(json({ level: 'error', msg: 'bad', empty: [], none: null, off: false, text: '' }))).toBe(
      `${TIME} ERROR stopping  bad  empty=[] none=null off=false text=""\n`,
    )
  })

  test('writes lists, objects and stacks below, indented', () => {
    const err = { type: 'TypeError', message: 'odd', stack: 'TypeError: odd\n    at f (x.ts:1:2)' }
    const problems = ['grants.0: one', { path: 'a', message: 'two' }]
    expect(plain(json({ problems, err, waitMs: 7, msg: 'bad' }))).toBe(
      `${TIME} WARN  stopping  bad  waitMs=7
    problems:
        grants.0: one
        {"path":"a","message":"two"}
    err:
        type: TypeError
        message: odd
        TypeError: odd
        at f (x.ts:1:2)
`,
    )
  })

  test('has colours only where they are wanted, and the same text', () => {
    const line = json({ level: 'error', msg: 'bad', waitMs: 7 })
    expect(coloured(line)).toContain('\u001b[31mERROR\u001b[39m')
    expect(stripVTControlCharacters(coloured(line))).toBe(plain(line))
    expect(plain(line)).not.toContain('\u001b')
  })

  test('shows nothing unprintable, and lets no text begin a line', () => {
    fc.assert(
      fc.property(hostileText, text => {
        const fields = {
          [`x${text}`]: text,
          list: [text, { text }],
          object: { [`x${text}`]: text, stack: text },
        }
        const lines = plain(json({ ...fields, event: text, level: text, time: text, msg: text })).split('\n')
        expect(lines.pop()).toBe('')
        for (const line of lines) expect(line).not.toMatch(RAW)
        for (const line of lines.slice(1)) expect(line).toMatch(/^ {4}/)
        expect(plain(text).slice(0, -1)).not.toMatch(RAW)
      }),
    )
  })
})
