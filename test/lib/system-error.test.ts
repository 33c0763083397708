import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { messageOf, systemCode, systemCodeNote } from '../../src/lib/system-error.ts'

const withCode = (code: unknown, cause?: unknown) => Object.assign(new Error('secret', { cause }), { code })

test('systemCode of a file that is not there is ENOENT', async () => {
  const error = await readFile(`${import.meta.dirname}/none`).catch(cause => cause)
  expect(systemCode(error)).toBe('ENOENT')
})

test('systemCode of a fetch that nobody answers is the code of its cause', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  const error = await fetch(`http://127.0.0.1:${port}/secret`).catch(cause => cause)
  expect(systemCode(error)).toBe('ECONNREFUSED')
  expect(systemCodeNote(error)).toBe(' (ECONNREFUSED)')
})

test.each([
  ['is its own', withCode('EPIPE'), 'EPIPE'],
  ['is that of its cause when both have one', withCode('OUTER', withCode('INNER')), 'INNER'],
  ['is its own when its cause has none', withCode('OUTER', new Error('no code')), 'OUTER'],
  ['is its own when its cause is not an Error', withCode('OUTER', { code: 'INNER' }), 'OUTER'],
  ['that has none', new Error('secret'), undefined],
  ['whose code is a number', withCode(20), undefined],
  ['that is a DOMException', new DOMException('secret', 'AbortError'), undefined],
  ['that is not an Error', { code: 'ENOENT' }, undefined],
  ['that is undefined', undefined, undefined],
])('systemCode of an error %s', (_what, error, code) => {
  expect(systemCode(error)).toBe(code)
  expect(systemCodeNote(error)).toBe(code === undefined ? '' : ` (${code})`)
})

test('systemCode ends for an error that is its own cause', () => {
  const error = new Error('secret')
  error.cause = error
  expect(systemCode(error)).toBeUndefined()
})

test('messageOf returns the message of an error, and something else for anything else', () => {
  expect(messageOf(new TypeError('failed'))).toBe('failed')
  expect(messageOf('thrown text')).toBe('it failed')
  expect(messageOf({ message: 'no error' }, 'unknown error')).toBe('unknown error')
})
