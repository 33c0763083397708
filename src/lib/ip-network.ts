import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseIpAddress } from './ip-address.ts'

/** What all texts count for that are not an address. */
const NO_NETWORK = 'unknown'

/**
 * Returns the network that an address counts for, in one spelling: an IPv4 address itself, the first `ipv6Prefix` bits of an IPv6
 * address. Default: 64, which is the least that a site gets (RFC 6177). Takes what `parseIpAddress` does; all that is not an
 * address is one network, `unknown`.
 */
export function ipNetwork(
  address: string | undefined,
  { ipv6Prefix = 64 }: { ipv6Prefix?: number } = {},
): string {
  const ip = parseIpAddress(address)
  if (ip === undefined) return NO_NETWORK
  if (isIPv4(ip)) return ip
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${ip}/${ipv6Prefix}`)
  return `${network.toRFC5952String()}/${ipv6Prefix}`
}
