import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLoopback, isSecureUrl } from '../../src/lib/loopback.ts'

test.each([
  'localhost',
  'LOCALHOST',
  'LocalHost',
  '127.0.0.1',
  '127.0.0.0',
  '127.8.8.8',
  '127.1.2.3',
  '127.255.255.255',
  '::1',
  '[::1]',
])('isLoopback accepts %s', host => {
  expect(isLoopback(host)).toBe(true)
})

test.each([
  '',
  ' ',
  '0.0.0.0',
  '::',
  '[::]',
  '10.0.0.1',
  '128.0.0.1',
  '126.255.255.255',
  '1.127.0.0.1',
  '127.0.0.1.evil.com',
  'evil.com.127.0.0.1',
  '127.0.0.1@evil.com',
  '127.0.0.1:80',
  '127.0.0.1/8',
  '127.0.0.1 ',
  ' 127.0.0.1',
  '127.0.0.1\n',
  'localhost\n',
  '\nlocalhost',
  '1270.0.0.1',
  '127.0.0.256',
  '127.256.0.1',
  '127.0.0.999',
  '127.0.0.1000',
  '127.0.0.01',
  '127.0.0.001',
  '127.00.0.1',
  '0127.0.0.1',
  '0177.0.0.1',
  '127.1',
  '127.0.1',
  '127',
  '127.',
  '127.0.0.',
  '127.0.0.1.',
  '127..0.1',
  '127.0.0.0.1',
  '127x0x0x1',
  '127.0.0.-1',
  '127.0.0.+1',
  '127.0.0.1e0',
  '127.0.0.0x1',
  '0x7f.0.0.1',
  '0x7f000001',
  '2130706433',
  '127.0.0.١',
  '１２７.0.0.1',
  '127。0。0。1',
  'localhost.',
  'localhost.example',
  'localhost.localdomain',
  'notlocalhost',
  'my.localhost',
  'localhost:8080',
  'loca1host',
  '[localhost]',
  '[127.0.0.1]',
  '[::1',
  '::1]',
  '[[::1]]',
  '[::1]:80',
  '::1%lo',
  '[::1%25lo]',
  ':1',
  ':::1',
  '::2',
  '::11',
  '1::1',
  'fe80::1',
  '::ffff:127.0.0.1',
  '[::ffff:7f00:1]',
  '::ffff:10.0.0.1',
])('isLoopback refuses %j', host => {
  expect(isLoopback(host)).toBe(false)
})

test('isLoopback accepts what URL makes of every spelling of 127.0.0.1 and ::1', () => {
  const spellings = [
    'http://127.1',
    'http://2130706433',
    'http://0x7f.1:80/path',
    'http://0177.0.0.01',
    'http://１２７.0.0.1',
    'http://127。0。0。1',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::0001]:8080',
    'http://LOCALHOST',
  ]
  for (const url of spellings) expect([url, isLoopback(new URL(url).hostname)]).toEqual([url, true])
})

test('isLoopback refuses what URL makes of hosts that only look like it', () => {
  const urls = [
    'http://127.0.0.1.evil.com',
    'http://127.0.0.1@evil.com',
    'http://evil.com#@127.0.0.1',
    'http://evil.com/127.0.0.1',
    'http://localhost.evil.com',
    'http://[::ffff:127.0.0.1]',
    'http://128.1',
  ]
  for (const url of urls) expect([url, isLoopback(new URL(url).hostname)]).toEqual([url, false])
})

test('isLoopback accepts an IPv4 address exactly when it is written plainly and begins with 127', () => {
  const part = fc.integer({ min: 0, max: 300 })
  const first = fc.oneof(fc.constant(127), part)
  fc.assert(
    fc.property(first, part, part, part, (...parts) => {
      const isOne = parts[0] === 127 && parts.every(each => each <= 255)
      expect(isLoopback(parts.join('.'))).toBe(isOne)
    }),
    { numRuns: 1000 },
  )
})

test.each([
  ['https://jeton.example.com', true],
  ['https://10.0.0.1:8443/path', true],
  ['http://localhost:8080', true],
  ['http://127.1', true],
  ['http://[::1]:8080', true],
  ['http://jeton.example.com', false],
  ['http://10.0.0.1', false],
  ['http://localhost.evil.com', false],
  ['ftp://localhost', false],
  ['ws://127.0.0.1', false],
  ['file:///etc/passwd', false],
])('isSecureUrl of %s is %s', (url, isSecure) => {
  expect(isSecureUrl(new URL(url))).toBe(isSecure)
})
