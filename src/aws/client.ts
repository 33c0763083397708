import { UsageError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type EgressProxies, readEgressProxies } from '../lib/egress-proxies.ts'
import type { Environment } from '../lib/process-input.ts'
import { memoizeAsync } from '../lib/single-flight.ts'
import { type DatedClient, observeDates } from './observe-dates.ts'
import type { ProxiedHandler } from './proxied-handler.ts'
import { replaceRefusedCredentials, type SigningClient } from './refused-credentials.ts'
import { createSdkLogger, type SdkLogger } from './sdk-logger.ts'

/** One retry: a request that the network lost is sent again, and callers soon learn of a service that is down. */
const MAX_ATTEMPTS = 2

/** The limits of a call to AWS, all in milliseconds. */
export interface CallLimits {
  /** How long an attempt may take to connect. */
  readonly connectTimeoutMs: number
  /** How long an attempt may wait for its reply. */
  readonly responseTimeoutMs: number
  /** How long the whole call may take: every attempt, and the SDK's search for credentials. */
  readonly deadlineMs: number
}

/** For DynamoDB and S3. Short, because callers wait: lost requests are retried, unreachable services noticed soon. */
export const SHORT_CALLS: CallLimits = { connectTimeoutMs: 500, responseTimeoutMs: 1000, deadlineMs: 2500 }
/**
 * For STS and KMS, which are called seldom, and may be in a far region or behind a slow proxy. A caller waits for a part of
 * that only, and the call goes on beside it. Less than a lease in all (16 s), so that no other instance takes it for dead.
 */
export const LONG_CALLS: CallLimits = {
  connectTimeoutMs: 3000,
  responseTimeoutMs: 10_000,
  deadlineMs: 12_000,
}
/** How long a request of a long call goes without a reply before it is sent once more: the network may have lost it. */
export const RESEND_AFTER_MS = 2500

export interface ClientOptions {
  limits: CallLimits
  /** The region that the SDK's environment names, unless given. */
  region?: string | undefined
  /** Where proxies are named; the process's own, where the SDK looks too, unless given. */
  env?: Environment
  /** Gets what the SDK says besides its warnings; the default drops it. */
  logger?: SdkLogger
}

/** The part of the SDK's client configuration that jeton sets. */
export interface ClientSettings {
  readonly region?: string
  readonly maxAttempts: number
  /** Whether each search for credentials reads the SDK's files again, so that it finds one that was not there before. */
  readonly ignoreCache: boolean
  readonly logger: SdkLogger
  readonly requestHandler: Timeouts | LazyHandler
}

interface Timeouts {
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly throwOnRequestTimeout: boolean
}

/**
 * Returns the settings that all of jeton's SDK clients share: two attempts, each within the limits, through the proxies that
 * the environment names. The SDK finds credentials and endpoint in its own environment, and its search for credentials has no
 * timeout: every caller sets the deadline with `withDeadline`. Throws `UsageError` for a variable that names no proxy.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function createClientSettings(options: ClientOptions): ClientSettings {
  const { limits, region, env = process.env, logger = createSdkLogger() } = options
  const timeouts: Timeouts = {
    connectionTimeout: limits.connectTimeoutMs,
    requestTimeout: limits.responseTimeoutMs,
    throwOnRequestTimeout: true,
  }
  const proxies = readEgressProxies(env)
  const [problem] = proxies.problems
  // a server and a function have refused it at their start
  if (problem) throw new UsageError(`${problem.path} ${problem.message}`)
  return {
    ...(region !== undefined && { region }),
    maxAttempts: MAX_ATTEMPTS,
    ignoreCache: true,
    logger,
    requestHandler: proxies.byVariable.size === 0 ? timeouts : createLazyHandler(timeouts, proxies),
  }
}

/** A request handler as the SDK takes it; the SDK's own clients, as of AssumeRoleWithWebIdentity, use that of their client. */
interface LazyHandler {
  readonly metadata: { readonly handlerProtocol: string }
  handle(...args: Parameters<ProxiedHandler['handle']>): ReturnType<ProxiedHandler['handle']>
  destroy(): void
}

/** What proxies need loads with the first request: most starts need none. */
function createLazyHandler(timeouts: Timeouts, { findProxy }: EgressProxies): LazyHandler {
  const load = memoizeAsync(async () =>
    (await import('./proxied-handler.ts')).createProxiedHandler(timeouts, findProxy),
  )
  let loading: Promise<ProxiedHandler> | undefined
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, options) {
      loading = load()
      return (await loading).handle(request, options)
    },
    destroy() {
      loading?.then(handler => handler.destroy()).catch(() => {})
    },
  }
}

/** Returns a client with these settings, whose replies correct the clock, and whose credentials are replaced if AWS refuses them. */
export function createClient<Client extends DatedClient & SigningClient>(
  SdkClient: new (settings: ClientSettings) => Client,
  { clock, ...options }: ClientOptions & { clock: Clock },
): Client {
  const client = new SdkClient(createClientSettings(options))
  observeDates(client, clock)
  replaceRefusedCredentials(client)
  return client
}
