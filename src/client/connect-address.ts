import { systemCodeNote } from '../lib/system-error.ts'
import { parseAddress } from '../rds/address.ts'
import type { Address } from '../rds/database.ts'
import { failure } from './errors.ts'
import type { TokenReply } from './token-reply.ts'

/** Where a client connects to, if that is not the endpoint that the token is signed for. */
export interface ConnectAddress {
  host: string
  /** `host` as a numeric address. */
  address: string
  port: number
}

export type Lookup = (host: string) => Promise<{ address: string }>

/**
 * Parses `connect` of a reply and resolves its name once, because libpq takes only a numeric PGHOSTADDR. Returns undefined
 * if the reply has none. Throws CallerError if it is not an address or the name is unknown.
 */
export async function resolveConnectAddress(
  { connect }: TokenReply,
  lookup: Lookup,
): Promise<ConnectAddress | undefined> {
  if (connect === undefined) return undefined
  const parsed = parseConnect(connect)
  const { address } = await lookup(parsed.host).catch(cause => {
    throw failure(`cannot find the address of ${parsed.host}${systemCodeNote(cause)}`, cause)
  })
  return { ...parsed, address }
}

/** Parses the `connect` of a reply. Throws CallerError if it is not an address. */
export function parseConnect(connect: string): Address {
  const address = parseAddress(connect)
  if (!address) throw failure(`the server says to connect to ${connect}, which is not host:port`)
  return address
}
