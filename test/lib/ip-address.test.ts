import { assert, ipV4, ipV4Extended, ipV6, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { parseIpAddress } from '../../src/lib/ip-address.ts'

test.each([
  ['an IPv4 address', '203.0.113.9', '203.0.113.9'],
  ['one with a port', '203.0.113.9:20000', '203.0.113.9'],
  ['one with a hidden port', '203.0.113.9:_web-1', '203.0.113.9'],
  ['one in quotation marks', '"203.0.113.9:80"', '203.0.113.9'],
  ['one in spaces', ' 203.0.113.9\t', '203.0.113.9'],
  ['an IPv6 address', '2001:db8::1', '2001:db8::1'],
  ['one that is longer than it must be', '2001:0DB8:0:0:0:0:0:0001', '2001:db8::1'],
  ['one with the shorter of two runs of zeros cut', '2001:db8::1:0:0:0:1', '2001:db8:0:1::1'],
  ['one in brackets', '[2001:db8::1]', '2001:db8::1'],
  ['one with a port', '[2001:db8::1]:443', '2001:db8::1'],
  ['one with a hidden port in quotation marks', '"[2001:DB8::1]:_p"', '2001:db8::1'],
  ['a whole one with a port, without brackets', '2001:db8:1:2:3:4:5:6:443', '2001:db8:1:2:3:4:5:6'],
  ['one that ends like a port', '2001:db8::1:443', '2001:db8::1:443'],
  ['one with a zone', 'fe80::1%eth0', 'fe80::1'],
  ['one with a zone and a port', '[fe80::1%25eth0.7]:443', 'fe80::1'],
  ['IPv4 within IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
  ['IPv4 within IPv6, in hexadecimal', '::FFFF:cb00:7109', '203.0.113.9'],
  ['IPv4 within IPv6, in full', '0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
  ['IPv4 within IPv6, with a port', '[::ffff:203.0.113.9]:443', '203.0.113.9'],
  ['IPv4 at the end of an IPv6 address, which is not mapped', '::203.0.113.9', '::cb00:7109'],
  ['IPv4 at the end of another IPv6 address', '64:ff9b::203.0.113.9', '64:ff9b::cb00:7109'],
])('parseIpAddress returns the one spelling of %s', (_what, text, address) => {
  expect(parseIpAddress(text)).toBe(address)
})

test.each([
  ['nothing', undefined],
  ['empty text', ''],
  ['spaces', '  '],
  ['unknown', 'unknown'],
  ['a hidden node', '_hidden'],
  ['a name', 'localhost'],
  ['a port alone', ':443'],
  ['IPv4 in octal', '0177.0.0.1'],
  ['IPv4 with leading zeros', '203.000.113.009'],
  ['IPv4 in hexadecimal', '0x7f.0.0.1'],
  ['IPv4 as one number', '2130706433'],
  ['IPv4 as one digit', '1'],
  ['IPv4 with two parts', '127.1'],
  ['IPv4 in octal within IPv6', '::ffff:0177.0.0.1'],
  ['IPv4 out of range', '256.0.0.1'],
  ['IPv4 with five parts', '1.2.3.4.5'],
  ['IPv4 in brackets', '[203.0.113.9]'],
  ['IPv4 with a zone', '203.0.113.9%eth0'],
  ['IPv4 with a port out of range', '203.0.113.9:200000'],
  ['IPv4 with two ports', '203.0.113.9:1:2'],
  ['two addresses', '203.0.113.9, 203.0.113.8'],
  ['a network', '203.0.113.0/24'],
  ['IPv6 with two runs of zeros', '2001::db8::1'],
  ['IPv6 with a bracket left open', '[2001:db8::1'],
  ['IPv6 with text after its brackets', '[2001:db8::1]x'],
  ['IPv6 with a zone that is empty', 'fe80::1%'],
  ['other digits', '１.２.３.４'],
  ['a NUL at the end', '203.0.113.9\0'],
  ['long text', `${'0'.repeat(1_000_000)}1`],
])('parseIpAddress returns undefined for %s', (_what, text) => {
  expect(parseIpAddress(text)).toBeUndefined()
})

test('parseIpAddress agrees with the URL standard on every IPv6 address, with and without a port', () => {
  assert(
    property(ipV6(), text => {
      const expected = new URL(`http://[${text}]`).hostname.slice(1, -1)
      const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(expected)
      if (mapped) return
      expect(parseIpAddress(text)).toBe(expected)
      expect(parseIpAddress(`[${text.toUpperCase()}]:443`)).toBe(expected)
    }),
  )
})

test('parseIpAddress takes every IPv4 address in four decimal parts, with a port and within IPv6 too', () => {
  assert(
    property(ipV4(), text => {
      for (const form of [text, `${text}:1`, `::ffff:${text}`, `[::FFFF:${text}]:1`])
        expect(parseIpAddress(form)).toBe(text)
    }),
  )
})

test('parseIpAddress returns what it returns again, and never throws', () => {
  assert(
    property(oneof(string(), ipV4Extended(), ipV6()), text => {
      const address = parseIpAddress(text)
      expect(parseIpAddress(address)).toBe(address)
    }),
  )
})
