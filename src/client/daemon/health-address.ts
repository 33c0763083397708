import { isIP } from 'node:net'
import { bareHost } from '../../lib/loopback.ts'
import { invalidUsage } from '../errors.ts'

/** Where a daemon answers whoever watches it. */
export interface HealthAddress {
  /** A numeric address. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

const PARTS = /^(?:(\[[^\]]+\]|[^:]+):)?(\d{1,5})$/

/**
 * Parses what `--health` takes: a port of 127.0.0.1, or an address and a port, IPv6 in brackets. Throws CallerError (exit code 2)
 * for anything else, names included.
 */
export function parseHealthAddress(text: string): HealthAddress {
  const [, written = '127.0.0.1', digits] = PARTS.exec(text) ?? []
  const host = bareHost(written)
  const port = Number(digits)
  if (!(port >= 0 && port <= 65_535) || isIP(host) === 0)
    throw invalidUsage(
      '--health takes a port, or ADDRESS:PORT with a numeric address: 9100 or 0.0.0.0:9100 or [::]:9100',
    )
  return { host, port }
}
