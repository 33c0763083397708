import type { Clock } from '../lib/clock.ts'
import { type DatedClient, observeDates } from './observe-dates.ts'

/** One retry: a request that the network lost is sent again, and callers soon learn of a service that is away. */
const MAX_ATTEMPTS = 2

export interface ClientOptions {
  /** How long an attempt may take to connect, in milliseconds. */
  connectTimeoutMs: number
  /** How long an attempt may take to be answered, in milliseconds. */
  responseTimeoutMs: number
  /** The region that the SDK's environment names, unless given. */
  region?: string | undefined
}

export interface ClientSettings {
  readonly region?: string
  readonly maxAttempts: number
  readonly requestHandler: {
    readonly connectionTimeout: number
    readonly requestTimeout: number
    readonly throwOnRequestTimeout: boolean
  }
}

/**
 * Returns the settings that all of jeton's SDK clients share: two attempts, each within the timeouts. The SDK finds
 * credentials and endpoint in its own environment, and its search for credentials has no timeout: whoever calls sets a
 * deadline with `withDeadline`.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function createClientSettings(options: ClientOptions): ClientSettings {
  const { connectTimeoutMs, responseTimeoutMs, region } = options
  return {
    ...(region !== undefined && { region }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: responseTimeoutMs,
      throwOnRequestTimeout: true,
    },
  }
}

/** Returns a client with these settings, whose replies correct the clock. */
export function createClient<Client extends DatedClient>(
  SdkClient: new (settings: ClientSettings) => Client,
  { clock, ...options }: ClientOptions & { clock: Clock },
): Client {
  const client = new SdkClient(createClientSettings(options))
  observeDates(client, clock)
  return client
}
