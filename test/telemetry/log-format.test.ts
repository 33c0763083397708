import { expect, test } from 'vitest'
import { escapeJson, escapeUnprintable } from '../../src/lib/printable.ts'
import { type LogFormatOptions, logFormat } from '../../src/telemetry/log-format.ts'

const LINE = `${JSON.stringify({ level: 'info', time: 'T', event: 'stopping', msg: 'it ends\u009b' })}\n`
const JSON_LINE = LINE.replace('\u009b', '\\u009b')
const TEXT_LINE = 'T INFO  stopping  it ends\\u009b\n'

const terminal: LogFormatOptions['stderr'] = { isTTY: true, hasColors: () => false }

function rendered(options: Pick<LogFormatOptions, 'choice' | 'stderr'>): string {
  return logFormat({ ...options, escapeJson, escapeUnprintable })(LINE)
}

test.each<[string | undefined, LogFormatOptions['stderr'], string]>([
  [undefined, terminal, TEXT_LINE],
  ['', terminal, TEXT_LINE],
  ['text', terminal, TEXT_LINE],
  ['json', terminal, JSON_LINE],
  [undefined, {}, JSON_LINE],
  ['json', {}, JSON_LINE],
  ['text', {}, TEXT_LINE],
  // a pipe has no colours, whoever forces them
  ['text', { hasColors: () => true }, TEXT_LINE],
])('JETON_LOG_FORMAT=%s with a stderr of %o', (choice, stderr, line) => {
  expect(rendered({ choice, stderr })).toBe(line)
})

test('a terminal with colours gets them', () => {
  expect(rendered({ choice: undefined, stderr: { isTTY: true, hasColors: () => true } })).toContain('\u001b[')
})

test('another format is refused with those that there are', () => {
  expect(() => rendered({ choice: 'pretty', stderr: terminal })).toThrow(
    'JETON_LOG_FORMAT takes json or text',
  )
})
