import { expect, test } from 'vitest'
import { ipNetwork } from '../../src/lib/ip-network.ts'

test.each([
  ['an IPv4 address', '192.0.2.7', '192.0.2.7'],
  ['an IPv4 address with a port', '192.0.2.7:20000', '192.0.2.7'],
  ['an IPv4 address written as IPv6', '::ffff:192.0.2.7', '192.0.2.7'],
  ['the same in hexadecimal', '::FFFF:c000:207', '192.0.2.7'],
  ['an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['one with a port', '[2001:db8:1:2:3:4:5:6]:443', '2001:db8:1:2::/64'],
  ['one with leading zeros', '2001:0db8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
  ['one in upper case', '2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['one with a run of zeros in its network', '2001:db8::1', '2001:db8::/64'],
  ['one with a zone', 'fe80::1%eth0', 'fe80::/64'],
  ['loopback', '::1', '::/64'],
  ['text that is not an address', 'unknown', 'unknown'],
  ['other text that is not an address', '_hidden-7', 'unknown'],
  ['an address that is not known', undefined, 'unknown'],
])('ipNetwork of %s', (_what, address, network) => {
  expect(ipNetwork(address)).toBe(network)
})

test('ipNetwork is the same for addresses of one /64, and for no others', () => {
  expect(ipNetwork('2001:db8:1:2::1')).toBe(ipNetwork('2001:db8:1:2:ffff::'))
  expect(ipNetwork('2001:db8:1:2::1')).not.toBe(ipNetwork('2001:db8:1:3::1'))
})

test.each([
  [32, '2001:db8::/32'],
  [48, '2001:db8:ffff::/48'],
  [56, '2001:db8:ffff:ff00::/56'],
  [61, '2001:db8:ffff:fff8::/61'],
  [128, '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128'],
])('ipNetwork takes the first %i bits of an IPv6 address', (ipv6Prefix, network) => {
  expect(ipNetwork('2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', { ipv6Prefix })).toBe(network)
})

test.each([
  [32, '192.0.2.7'],
  [24, '192.0.2.0/24'],
  [16, '192.0.0.0/16'],
])('ipNetwork takes the first %i bits of an IPv4 address', (ipv4Prefix, network) => {
  expect(ipNetwork('::ffff:192.0.2.7', { ipv4Prefix })).toBe(network)
})

test('ipNetwork takes all of an IPv4 address, whatever the prefix for IPv6 is', () => {
  expect(ipNetwork('192.0.2.7', { ipv6Prefix: 32 })).toBe('192.0.2.7')
})
