import { isIPv6 } from 'node:net'

/**
 * Returns the network that an IP address counts for: an IPv4 address itself, the /64 of an IPv6 address (RFC 6177: a site
 * gets at least that much). An IPv4 address written as IPv6 (RFC 4291, 2.5.5.2) is the IPv4 address. Text that is
 * not an address is returned as it is, cut to 64 characters.
 */
export function ipNetwork(address: string): string {
  const [ip = ''] = address.toLowerCase().split('%')
  if (!isIPv6(ip)) return ip.slice(0, 64)
  const [head = '', tail] = ip.split('::')
  if (ip.startsWith('::ffff:') && tail?.includes('.')) return tail.slice('ffff:'.length)
  const left = head.split(':').filter(Boolean)
  const right = tail?.split(':').filter(Boolean) ?? []
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = tail === undefined ? left : [...left, ...zeros, ...right]
  return `${groups
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
