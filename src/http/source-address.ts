import type { IncomingMessage } from 'node:http'
import { parseIpAddress } from '../lib/ip-address.ts'

/** Returns the address that a request comes from; undefined if its connection was reset before anybody asked. */
export type SourceAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string | undefined

/**
 * Returns a function for the source of requests behind `behindProxy` proxies: that entry of `X-Forwarded-For`, counted from the
 * end. Callers can write all entries before it. If a proxy wrote no address there (`unknown`, RFC 7239, 6), the source is
 * the nearest address after it, which is that of a proxy; at the end stands the address of the connection itself.
 */
export function createSourceAddress(behindProxy = 0): SourceAddress {
  return ({ headers, socket }) => {
    let source = parseIpAddress(socket.remoteAddress)
    const forwardedFor = behindProxy > 0 ? headers['x-forwarded-for'] : undefined
    if (typeof forwardedFor !== 'string') return source
    let end = forwardedFor.length
    for (let hop = 0; hop < behindProxy && end >= 0; hop++) {
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
      source = parseIpAddress(forwardedFor.slice(comma + 1, end)) ?? source
      end = comma
    }
    return source
  }
}
