import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseIpAddress } from './ip-address.ts'

/** What all texts count for that are not an address. */
const NO_NETWORK = 'unknown'

/**
 * Returns the network that an address counts for, in one spelling: the first `ipv4Prefix` or `ipv6Prefix` bits. Default: an IPv4
 * address itself, the /64 of an IPv6 address, which is the least that a site gets (RFC 6177). Takes what `parseIpAddress` does;
 * all that is not an address is one network, `unknown`.
 */
export function ipNetwork(
  address: string | undefined,
  { ipv4Prefix = 32, ipv6Prefix = 64 }: { ipv4Prefix?: number; ipv6Prefix?: number } = {},
): string {
  const ip = parseIpAddress(address)
  if (ip === undefined) return NO_NETWORK
  if (isIPv4(ip) && ipv4Prefix === 32) return ip
  if (isIPv4(ip)) return `${ipaddr.IPv4.networkAddressFromCIDR(`${ip}/${ipv4Prefix}`)}/${ipv4Prefix}`
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${ip}/${ipv6Prefix}`)
  return `${network.toRFC5952String()}/${ipv6Prefix}`
}
