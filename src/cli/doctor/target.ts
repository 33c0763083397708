import { failure } from '../../client/errors.ts'
import type { TokenReply } from '../../client/token-reply.ts'
import { parseAddress } from '../../rds/address.ts'
import type { Address } from '../../rds/database.ts'

/** Returns where a client connects to: `connect` of a reply, else the endpoint itself. Throws CallerError. */
export function connectTarget({ connect, host, port }: TokenReply): Address {
  if (connect === undefined) return { host, port }
  const address = parseAddress(connect)
  if (!address) throw failure(`the server says to connect to ${connect}, which is not host:port`)
  return address
}
