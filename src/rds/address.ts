import { isIP, isIPv6 } from 'node:net'
import type { Address } from './database.ts'

/** With underscores, which container networks use in host names. */
const NAME =
  /^(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const PARTS = /^(?:\[([^\]%]+)\]|([^:]+)):(\d{1,5})$/

/**
 * Parses `host:port`, with an IPv6 address in brackets. Returns undefined for anything else. Does not check that the name
 * resolves.
 */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain = '', digits] = PARTS.exec(text) ?? []
  const port = Number(digits)
  if (!(port >= 1 && port <= 65_535)) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  // some resolvers read 10.0.0.999 and 10.1 as addresses, others as names
  const isNumeric = /(?:^|\.)\d+$/.test(plain)
  return (isNumeric ? isIP(plain) === 4 : NAME.test(plain)) ? { host: plain, port } : undefined
}
