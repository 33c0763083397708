import { expect, test } from 'vitest'
import { ipNetwork } from '../../src/lib/ip-network.ts'

test.each([
  ['an IPv4 address', '192.0.2.7', '192.0.2.7'],
  ['an IPv4 address written as IPv6', '::ffff:192.0.2.7', '192.0.2.7'],
  ['the same in upper case', '::FFFF:192.0.2.7', '192.0.2.7'],
  ['an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['one with leading zeros', '2001:0db8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
  ['one in upper case', '2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['one with a run of zeros in its network', '2001:db8::1', '2001:db8:0:0::/64'],
  ['one with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['loopback', '::1', '0:0:0:0::/64'],
  ['an IPv4 address at the end of another IPv6 address', '64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['text that is not an address', 'unknown', 'unknown'],
])('ipNetwork of %s', (_what, address, network) => {
  expect(ipNetwork(address)).toBe(network)
})

test('ipNetwork is the same for addresses of one /64, and for no others', () => {
  expect(ipNetwork('2001:db8:1:2::1')).toBe(ipNetwork('2001:db8:1:2:ffff::'))
  expect(ipNetwork('2001:db8:1:2::1')).not.toBe(ipNetwork('2001:db8:1:3::1'))
})

test('ipNetwork cuts text that is not an address to 64 characters', () => {
  expect(ipNetwork('x'.repeat(1000))).toBe('x'.repeat(64))
})
