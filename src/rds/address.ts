import { isIP, isIPv6 } from 'node:net'
import type { Address } from './database.ts'

/** Underscores too: container networks name their hosts with them. */
const NAME =
  /^(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const PARTS = /^(?:\[([^\]%]+)\]|([^:]+)):(\d{1,5})$/

/** Reads `host:port`, an IPv6 address in brackets; undefined for anything else. Nothing is looked up. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain = '', digits] = PARTS.exec(text) ?? []
  const port = Number(digits)
  if (!(port >= 1 && port <= 65_535)) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined
  // 10.0.0.999 and 10.1 would be taken for addresses by some resolvers and for names by others.
  const numeric = /(?:^|\.)\d+$/.test(plain)
  return (numeric ? isIP(plain) === 4 : NAME.test(plain)) ? { host: plain, port } : undefined
}
