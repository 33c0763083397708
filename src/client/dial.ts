import { parseAddress } from '../rds/address.ts'
import { failed, systemCode } from './errors.ts'
import type { TokenReply } from './token-reply.ts'

/** Where a client connects to, when that is not the endpoint that the token is signed for. */
export interface Dial {
  host: string
  /** `host` as a numeric address. */
  address: string
  port: number
}

export type Lookup = (host: string) => Promise<{ address: string }>

/**
 * Reads `connect` of a reply and looks its name up once (libpq takes only numbers for PGHOSTADDR); undefined where the
 * reply has none. Throws a failure where it is no address or the name is not known.
 */
export async function dialOf({ connect }: TokenReply, lookup: Lookup): Promise<Dial | undefined> {
  if (connect === undefined) return undefined
  const parsed = parseAddress(connect)
  if (!parsed) throw failed(`the server says to connect to ${connect}, which is not host:port`)
  const { address } = await lookup(parsed.host).catch(cause => {
    throw failed(`cannot find the address of ${parsed.host}${systemCode(cause)}`, cause)
  })
  return { ...parsed, address }
}
