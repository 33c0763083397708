import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import type { Deliveries } from './deliveries.ts'
import type { SoakFleet } from './fleet.ts'
import type { Instance } from './instance.ts'

export interface TokenRequest {
  subject: string
  user: string
  /** The fingerprint that the database refused. */
  refused?: string
}

/** How requests ended. */
export interface Outcomes {
  served: number
  /** 429, and 503 with `Retry-After`. */
  throttled: number
  unavailable: number
  /** The connection failed: nothing listens while an instance is down, and a kill cuts off replies. */
  disconnected: number
  /** How often each `detail` of a 429 or 503 came. */
  readonly details: Map<string, number>
  /** What must not happen, each with its status and code, once. */
  readonly wrong: Set<string>
}

export interface Served {
  body: Record<string, unknown>
  /** From the first request on, with all waits. */
  waitedMs: number
}

/** Requests tokens from either instance, and accounts for every reply. */
export interface Requester {
  readonly outcomes: Outcomes
  /** Sends one request. Returns the reply's body if it has a token, else how long to wait (ms). */
  requestOnce(request: TokenRequest): Promise<{ body: Record<string, unknown> } | { retryAfterMs: number }>
  /** Requests until there is a token, as a caller does that honours `Retry-After`. Returns undefined if `signal` aborts. */
  requestUntilServed(request: TokenRequest, signal: AbortSignal): Promise<Served | undefined>
}

export interface RequesterParts {
  fleet: SoakFleet
  deliveries: Deliveries
  random: Random
}

const RECONNECT_MS = 250
/** Longer than the server lets any request wait. */
const TIMEOUT_MS = 20_000
const JWT_SECONDS = 3600

export function createRequester({ fleet, deliveries, random }: RequesterParts): Requester {
  const outcomes: Outcomes = {
    served: 0,
    throttled: 0,
    unavailable: 0,
    disconnected: 0,
    details: new Map(),
    wrong: new Set(),
  }
  const jwts = new Map<string, Promise<string>>()

  function bearerOf(subject: string): Promise<string> {
    const jwt =
      jwts.get(subject) ??
      fleet.environment.issuer.sign({ sub: subject }, { expiresInSeconds: JWT_SECONDS + 60 })
    jwts.set(subject, jwt)
    return jwt.then(text => `Bearer ${text}`)
  }

  function noteWrong(what: string): void {
    outcomes.wrong.add(`${what} (last disturbance: ${fleet.lastDisturbance})`)
  }

  async function requestOnce({ subject, user, refused }: TokenRequest) {
    const instance = fleet.instances[random.next() < 0.5 ? 0 : 1] as Instance
    const authorization = await bearerOf(subject)
    const reply =
      instance.server &&
      (await fetch(`${instance.server.url}/v1/tokens`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ database: 'orders', user, refused }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
        .then(async response => ({ response, body: (await response.json()) as Record<string, unknown> }))
        .catch((cause: Error) => {
          if (cause.name === 'TimeoutError') noteWrong('no reply in 20 s')
        }))
    if (!reply) {
      outcomes.disconnected++
      return { retryAfterMs: RECONNECT_MS }
    }
    const { response, body } = reply
    if (response.status === 200) {
      outcomes.served++
      deliveries.add({ instance, body })
      return { body }
    }
    const detail = String(body.detail)
    outcomes.details.set(detail, (outcomes.details.get(detail) ?? 0) + 1)
    const retryAfterMs = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000
    if (response.status === 429 && retryAfterMs > 0) outcomes.throttled++
    else if (response.status === 503 && retryAfterMs > 0) outcomes.unavailable++
    else noteWrong(`${response.status} ${body.code}: ${detail}`)
    return { retryAfterMs: retryAfterMs > 0 ? retryAfterMs : 1000 }
  }

  return {
    outcomes,
    requestOnce,
    async requestUntilServed(request, signal) {
      const startedAt = Date.now()
      while (!signal.aborted) {
        const result = await requestOnce(request)
        if ('body' in result) return { body: result.body, waitedMs: Date.now() - startedAt }
        await pause(result.retryAfterMs, undefined, { signal }).catch(() => {})
      }
      return undefined
    },
  }
}
