import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDaemonLog } from '../../src/cli/daemon-log.ts'

beforeEach(() => {
  vi.spyOn(process, 'removeAllListeners').mockReturnValue(process)
  vi.spyOn(process, 'on').mockReturnValue(process)
})
afterEach(() => vi.restoreAllMocks())

function logged({ isTTY, format }: { isTTY: boolean; format?: string }): string {
  const lines: string[] = []
  const env = format === undefined ? {} : { JETON_LOG_FORMAT: format }
  const stream = { write: (line: string) => void lines.push(line) }
  const log = openDaemonLog({ env, stderr: { isTTY, write() {} }, stream })
  log.warn({ event: 'proxy_started', database: 'or\u202eders' }, 'it\nbegins')
  return lines.join('')
}

test('is JSON, a line each, without what could hide or forge', () => {
  const text = logged({ isTTY: false })
  expect(text.match(/\n/g)).toHaveLength(1)
  expect(text).toContain('or\\u202eders')
  expect(JSON.parse(text)).toMatchObject({ level: 'warn', event: 'proxy_started', msg: 'it\nbegins' })
})

test('is text on a terminal, and where JETON_LOG_FORMAT says so', () => {
  for (const text of [logged({ isTTY: true }), logged({ isTTY: false, format: 'text' })])
    expect(text).toMatch(/^\S+ WARN {2}proxy_started {2}it\\nbegins {2}database=or\\u202eders\n$/)
  expect(logged({ isTTY: true, format: 'json' })).toMatch(/^\{"level":"warn"/)
})

test('an unknown JETON_LOG_FORMAT is a usage error', () => {
  expect(() => logged({ isTTY: false, format: 'xml' })).toThrow(
    expect.objectContaining({ exitCode: 2, message: 'JETON_LOG_FORMAT takes json or text' }),
  )
})
