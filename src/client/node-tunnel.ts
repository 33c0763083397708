/** Where a Node program is to dial for a name, whose certificate it checks all the same. */
export interface Tunnel {
  /** RDS's own name. */
  host: string
  /** A name or an address. */
  connectHost: string
}

/**
 * Returns a module for `node --require` (Node 12 or later) that looks up another host's address for one name, in `dns.lookup`,
 * which every socket uses, and `dns.promises.lookup`. Drivers for Node know no PGHOSTADDR: they dial the name that they verify.
 */
export function tunnelModule({ host, connectHost }: Tunnel): string {
  return `'use strict'
// written by jeton exec: the connections of this command to ${host} go to ${connectHost}
const dns = require('dns')
const HOST = ${JSON.stringify(host.toLowerCase())}
const CONNECT_HOST = ${JSON.stringify(connectHost)}

function throughTunnel(original) {
  function lookup(hostname, ...rest) {
    const isHost = typeof hostname === 'string' && hostname.toLowerCase().replace(/\\.$/, '') === HOST
    return original.call(this, isHost ? CONNECT_HOST : hostname, ...rest)
  }
  // util.promisify reads a property of the original
  return Object.defineProperties(lookup, Object.getOwnPropertyDescriptors(original))
}

dns.lookup = throughTunnel(dns.lookup)
dns.promises.lookup = throughTunnel(dns.promises.lookup)
// for import { lookup } from 'node:dns'
require('module').syncBuiltinESMExports()
`
}

/** Returns a value of NODE_OPTIONS that requires a module first, before what was there. */
export function requireInNodeOptions(file: string, inherited: string | undefined): string {
  const quoted = `"${file.replace(/["\\]/g, '\\$&')}"`
  return `--require ${quoted}${inherited ? ` ${inherited}` : ''}`
}
