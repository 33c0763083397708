import { isIP } from 'node:net'
import { parseConnect } from '../../client/connect-address.ts'
import type { TokenReply } from '../../client/token-reply.ts'
import { WireError } from '../../client/wire/wire-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import type { Address } from '../../rds/database.ts'
import type { StepFound } from './step.ts'

/** Resolves with all addresses of a host, in the order in which they are to be tried. */
export type LookUpAll = (host: string) => Promise<readonly { address: string }[]>

export interface TargetOptions {
  lookUpAll: LookUpAll
  clock: Pick<Clock, 'sleep'>
  timeoutMs: number
}

/** Where a client connects to. */
export interface Target {
  addresses: readonly string[]
  port: number
}

/**
 * Finds the addresses of what a reply's clients connect to: its `connect`, else the endpoint itself. Throws CallerError if that
 * is no address, WireError if DNS does not answer in time, and what `lookUpAll` throws.
 */
export async function findTarget(
  reply: TokenReply,
  { lookUpAll, clock, timeoutMs }: TargetOptions,
): Promise<StepFound<Target>> {
  const { host, port } = connectTarget(reply)
  if (isIP(host) !== 0) return { detail: `${host} is an address`, value: { addresses: [host], port } }
  const timedOut = () => new WireError(`no answer within ${timeoutMs / 1000} s`, { failure: 'timeout' })
  const found = await withTimeout(() => lookUpAll(host), { clock, timeoutMs, timedOut })
  const addresses = found.map(({ address }) => address)
  return { detail: `${host} is ${addresses.join(', ')}`, value: { addresses, port } }
}

function connectTarget({ connect, host, port }: TokenReply): Address {
  return connect === undefined ? { host, port } : parseConnect(connect)
}
