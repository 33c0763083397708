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
  if (isIPv4(ip))
    return `${firstBits(ip.split('.').map(Number), { prefix: ipv4Prefix, partBits: 8 }).join('.')}/${ipv4Prefix}`
  const parts = firstBits(ipaddr.IPv6.parse(ip).parts, { prefix: ipv6Prefix, partBits: 16 })
  return `${new ipaddr.IPv6(parts).toRFC5952String()}/${ipv6Prefix}`
}

/** Returns the parts of an address with zeros after the first `prefix` bits. The library would parse the address once more. */
function firstBits(
  parts: readonly number[],
  { prefix, partBits }: { prefix: number; partBits: number },
): number[] {
  return parts.map((part, index) => {
    const zeros = Math.min(partBits, Math.max(0, partBits * (index + 1) - prefix))
    return (part >> zeros) << zeros
  })
}

/** All addresses that share their first `prefix` bits with one. */
export interface IpNetwork {
  readonly address: ipaddr.IPv4 | ipaddr.IPv6
  readonly prefix: number
}

const NETWORK = /^([^/]*)(?:\/(\d{1,3}))?$/

/** Returns the network that a text such as `192.0.2.0/24` names; an address is one of its own. Undefined for all else. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, ip, bits] = NETWORK.exec(text) ?? []
  const canonical = parseIpAddress(ip)
  if (canonical === undefined) return undefined
  const address = ipaddr.parse(canonical)
  const maxPrefix = address.kind() === 'ipv4' ? 32 : 128
  const prefix = bits === undefined ? maxPrefix : Number(bits)
  return prefix <= maxPrefix ? { address, prefix } : undefined
}

/** Returns whether some address is in both networks: then one of them is within the other. */
export function overlap(a: IpNetwork, b: IpNetwork): boolean {
  return a.address.kind() === b.address.kind() && a.address.match(b.address, Math.min(a.prefix, b.prefix))
}
