import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Longer than every address with a zone and a port. */
const MAX_LENGTH = 128
/** `[2001:db8::1]`, perhaps in quotation marks, perhaps with a port. */
const BRACKETED = /^\[([^\]]+)\](?::[\w.-]+)?$/
/** A port is a number or, to hide it, a word that begins with `_` (RFC 7239, 6.3). */
const PORT = /:(?:\d{1,5}|_[\w.-]+)$/
const ZONE = /%[\w.~-]+$/

/**
 * Returns the one spelling of the address that a proxy, a socket, an event or an operator wrote: IPv4 in four decimal parts,
 * IPv6 as in RFC 5952, and IPv4 within IPv6 (RFC 4291, 2.5.5.2) as IPv4. Ports, brackets, quotation marks and zones are dropped.
 * Undefined for all else: `unknown`, `_hidden`, names, and IPv4 in octal, hexadecimal or with fewer parts.
 */
export function parseIpAddress(text: string | undefined): string | undefined {
  // nearly all, and canonical as they are
  if (text === undefined || isIPv4(text)) return text
  if (text.length > MAX_LENGTH) return undefined
  if (isIPv6(text)) return parseIpv6(text)
  const node = text.trim().replace(/^"(.*)"$/, '$1')
  const bracketed = BRACKETED.exec(node)?.[1]
  if (bracketed !== undefined) return parseIpv6(bracketed)
  // an IPv6 address without brackets may end like a port: what is an address is not cut
  const withoutPort = node.replace(PORT, '')
  return parseIpv6(node) ?? parseIpv4(node) ?? parseIpv4(withoutPort) ?? parseIpv6(withoutPort)
}

function parseIpv4(text: string): string | undefined {
  return isIPv4(text) ? text : undefined
}

function parseIpv6(text: string): string | undefined {
  const address = text.replace(ZONE, '')
  if (!isIPv6(address)) return undefined
  // the library would take ::192.0.2.1, which is not mapped, for ::ffff:192.0.2.1
  const parsed = ipaddr.IPv6.parse(address.replace(/^::(?=\d+\.)/, '0::'))
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String()
}
