import { expect, test } from 'vitest'
import { parseHealthAddress } from '../../../src/client/daemon/health-address.ts'

test.each([
  ['9100', { host: '127.0.0.1', port: 9100 }],
  ['0', { host: '127.0.0.1', port: 0 }],
  ['0.0.0.0:9100', { host: '0.0.0.0', port: 9100 }],
  ['[::1]:9100', { host: '::1', port: 9100 }],
])('--health %s', (text, address) => {
  expect(parseHealthAddress(text)).toEqual(address)
})

test.each(['', ':9100', '65536', 'localhost:9100', '::1:9100', '127.0.0.1', '1.2.3.4:x', '9100 '])(
  '--health "%s" is a usage error that says what it takes',
  text => {
    expect(() => parseHealthAddress(text)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('--health takes a port') }),
    )
  },
)
