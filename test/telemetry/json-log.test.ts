import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { escapeJson } from '../../src/lib/printable.ts'
import { createJsonLog } from '../../src/telemetry/json-log.ts'
import type { Log, LogFields } from '../../src/telemetry/log.ts'
import { hostileText, RAW } from '../support/hostile-text.ts'

const event = 'stopping' as const

let before: NodeJS.WarningListener[]
let stream: PassThrough
let log: Log

beforeEach(() => {
  before = process.listeners('warning')
  stream = new PassThrough()
  log = createJsonLog(stream, escapeJson)
})
afterEach(() => {
  process.removeAllListeners('warning')
  for (const listener of before) process.on('warning', listener)
})

const lines = () =>
  String(stream.read() ?? '')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

test('createJsonLog writes JSON with level, time, event and message, and leaves debug out', () => {
  log.debug({ event, a: 1 }, 'no')
  log.info({ event, a: 1 }, 'so\nso')
  log.warn({ event }, 'careful')
  log.error({ event, list: [{ b: 2 }] }, 'bad')
  expect(lines()).toEqual([
    { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), event, a: 1, msg: 'so\nso' },
    { level: 'warn', time: expect.any(String), event, msg: 'careful' },
    { level: 'error', time: expect.any(String), event, list: [{ b: 2 }], msg: 'bad' },
  ])
})

test('an error in the fields has its name, message and stack', () => {
  log.error({ event, err: new TypeError('odd') }, 'bad')
  const [{ err }] = lines()
  expect(err).toEqual({ type: 'TypeError', message: 'odd', stack: expect.stringContaining('json-log.test') })
})

test('an error in the fields has its code', () => {
  log.error({ event, err: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }, 'bad')
  expect(lines()[0].err).toMatchObject({ message: 'refused', code: 'ECONNREFUSED' })
})

test('fields cannot replace level, time and message', () => {
  log.error({ event, level: 'debug', time: 'never', msg: 'all is well', a: 1 }, 'bad')
  expect(lines()).toEqual([
    { level: 'error', time: expect.stringMatching(/^\d{4}-.*Z$/), event, a: 1, msg: 'bad' },
  ])
})

test('fields that cannot be JSON are left out, and the line is written', () => {
  const circle: { of?: unknown } = {}
  circle.of = circle
  const trap = {
    event: event as LogFields['event'],
    get a() {
      throw new Error('no')
    },
  }
  for (const fields of [{ event, a: 1, circle }, { event, big: 1n }, trap]) log.warn(fields, 'careful')
  const bare = { level: 'warn', time: expect.any(String), event, msg: 'careful' }
  expect(lines()).toEqual([bare, bare, bare])
})

test('a line shows nothing unprintable, and parses to what was logged', () => {
  fc.assert(
    fc.property(hostileText, text => {
      log.warn({ event, subject: text, list: [{ text }], err: new Error(text) }, text)
      const written = String(stream.read())
      expect(written.slice(0, -1)).not.toMatch(RAW)
      const logged = { subject: text, list: [{ text }], err: { message: text }, msg: text }
      expect(JSON.parse(written)).toMatchObject(logged)
    }),
  )
})

test("Node's warnings are written as node_warning", () => {
  process.emit('warning', Object.assign(new Error('old'), { name: 'DeprecationWarning' }))
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'warn',
      event: 'node_warning',
      warning: 'DeprecationWarning',
      msg: 'old',
    }),
  ])
})
