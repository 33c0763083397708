import { isIP } from 'node:net'
import type { Clock } from '../../../lib/clock.ts'
import { withTimeout } from '../../../lib/deadline.ts'
import { singleFlightByKey } from '../../../lib/single-flight.ts'
import { parseAddress } from '../../../rds/address.ts'
import type { VendedToken } from '../../library/types.ts'
import { connectionError } from '../../wire/byte-channel.ts'
import { protocolError, WireError } from '../../wire/wire-error.ts'
import type { LookUpAddresses } from '../proxy.ts'

/** Where a database is dialed. */
export interface DialTarget {
  readonly addresses: readonly string[]
  readonly port: number
}

const MAX_LOOKUP_MS = 10_000

export interface AddressParts {
  lookUpAll: LookUpAddresses
  clock: Pick<Clock, 'sleep'>
}

/**
 * Returns a function that finds the addresses of what a token's clients connect to: its `connect`, else the endpoint itself. Calls
 * at the same time share one question. It rejects with WireError.
 */
export function createFindAddresses({ lookUpAll, clock }: AddressParts) {
  const flights = singleFlightByKey<readonly string[]>()

  function lookUp(host: string): Promise<readonly string[]> {
    const timedOut = () =>
      new WireError(`the address of ${host} was not found within ${MAX_LOOKUP_MS / 1000} s`, {
        failure: 'timeout',
      })
    const ask = async () => {
      const found = await lookUpAll(host).catch(cause => {
        throw connectionError(`the address of ${host} is not known`, cause)
      })
      return found.map(({ address }) => address)
    }
    return flights.run(host, () => withTimeout(ask, { clock, timeoutMs: MAX_LOOKUP_MS, timedOut }))
  }

  return async (token: VendedToken): Promise<DialTarget> => {
    const { host, port } = dialedAddress(token)
    return { addresses: isIP(host) === 0 ? await lookUp(host) : [host], port }
  }
}

/** Returns what is dialed for a token. Throws WireError if it is no address. */
export function dialedAddress({ connect, host, port }: VendedToken): { host: string; port: number } {
  const address = connect === undefined ? { host, port } : parseAddress(connect)
  if (!address) throw protocolError(`jeton says to connect to ${connect}, which is not host:port`)
  return address
}
