import { createAuditLog } from '../../src/audit/audit-log.ts'
import type { Sink } from '../../src/audit/sink.ts'
import { pinKeys, type ReadableIssuerKeys } from '../../src/authentication/issuer-keys.ts'
import { unauthenticated } from '../../src/authentication/unauthenticated.ts'
import type { Config } from '../../src/config/config.ts'
import { createApp } from '../../src/http/app.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { createCaBundles } from '../../src/rds/ca-bundles.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { signToken } from '../../src/tokens/sign.ts'
import { type AccessPolicy, compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { createRepeatVend } from '../../src/vending/repeat-vend.ts'
import { createRequestAudits } from '../../src/vending/request-audit.ts'
import { createVendToken } from '../../src/vending/vend-token.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { createTokenService } from '../support/service/token-service.ts'
import { fakeRateLimiter } from '../tokens/fakes.ts'

export type Fault = 'a hangs' | 'b hangs' | 'a fails' | 'b fails' | 'revoked'

export interface TokenPost {
  headers: Record<string, string>
  body: string
}

export interface ObservedServiceOptions {
  /** Whether what needs no wait is done without a promise: credentials are recalled, and tokens vended again. */
  isDirect: boolean
  config: Config
}

/** How often the longest chain of promises and callbacks settles before it waits for the clock. */
const SETTLEMENTS = 4

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g

/** A whole jeton in virtual time, and all that callers, auditors and operators see of it. */
export async function startObservedService({ isDirect, config }: ObservedServiceOptions) {
  const virtual = virtualClock(undefined, idle)
  let offsetMs = 0
  const now = () => virtual.now() + offsetMs
  const clock: Clock = {
    ...virtual,
    now,
    sleepUntil: (ms, signal) => virtual.sleepUntil(ms - offsetMs, signal),
  }
  const log = createLogRecorder()
  const health = createHealth()
  const sinks = [startSink('a'), startSink('b')]
  /** What metrics are told, and by which request. */
  const events: string[] = []
  let vends = 0
  let authenticating = 0

  const auditLog = createAuditLog({ sinks, clock, timer: virtual, health, log, instance: 'test/1' })
  const beginAudit = createRequestAudits({
    auditLog,
    clock,
    instance: 'test/1',
    onEnded: ({ requestId, decision, code, grant, database, cached }) =>
      void events.push(JSON.stringify({ requestId, decision, code, grant, database, cached })),
  })
  let sessions = 0
  const tokenCache = createTokenService({
    clock,
    log,
    store: createMemoryStore(clock),
    assumeRole: async key => ({
      accessKeyId: `ASIA${++sessions}`,
      secretAccessKey: 'aws-secret',
      sessionToken: 'aws-session',
      identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/${key.sessionName}`,
      expiresAt: now() + 3_600_000,
    }),
    sign: signToken,
    rateLimiter: fakeRateLimiter(clock),
  })

  const keys = startKeys()
  const compile = (changed: Config) =>
    countWaits(compileAccessPolicy(changed, { clock, keysOf: ({ jwks }) => keys.of(jwks) }))
  let policy = compile(config)

  /** The same policy, which says while somebody waits for a signature to be verified: that takes real time. */
  function countWaits(compiled: AccessPolicy): AccessPolicy {
    const { authenticator } = compiled
    return {
      ...compiled,
      authenticator: {
        recall: authorization => (isDirect ? authenticator.recall(authorization) : undefined),
        async authenticate(authorization) {
          authenticating++
          return authenticator.authenticate(authorization).finally(() => authenticating--)
        },
      },
    }
  }

  async function idle(): Promise<void> {
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = authenticating === 0
      for (let i = 0; i < SETTLEMENTS; i++) await settle()
      isQuiet &&= authenticating === 0
    }
  }

  const app = await createApp(
    {
      currentPolicy: () => policy,
      vend: createVendToken(tokenCache),
      ...(isDirect && { repeatVend: createRepeatVend(tokenCache) }),
      caBundles: createCaBundles(clock),
      health,
      clock,
      log,
      beginAudit,
      onVended: () => void vends++,
    },
    { behindProxy: 1, requestIdHeader: 'x-own-id' },
  )
  const replies: Promise<string>[] = []

  return {
    sinks,
    keys,
    fail(fault: Fault): void {
      if (fault === 'revoked') keys.revoke()
      else sinks[fault.startsWith('a') ? 0 : 1]?.fail(fault.endsWith('hangs') ? 'hangs' : 'fails')
    },
    /** Ends the fault, and returns when all that waited for it has gone on. */
    async mend(): Promise<void> {
      for (const sink of sinks) sink.mend()
      keys.restore()
      await idle()
    },
    /** Sends a request and returns when nothing moves any more: it may still wait for the log, or for a slot. */
    async post({ headers, body }: TokenPost): Promise<void> {
      const reply = app.inject({ method: 'POST', url: '/v1/tokens', headers, payload: body })
      replies.push(
        reply.then(({ statusCode, headers: { date, ...sent }, body: text }) =>
          JSON.stringify([statusCode, sent, text]),
        ),
      )
      await idle()
    },
    advance: virtual.advance,
    shiftClock(ms: number): void {
      offsetMs += ms
    },
    reload(changed: Config): void {
      policy = compile(changed)
    },
    /** Ends all faults and returns all that was to be seen, with the ids that callers learn as numbers. */
    async end() {
      await this.mend()
      for (let i = 0; i < 15; i++) await virtual.advance(1000)
      const sent = await Promise.all(replies)
      await app.close()
      const ids = new Map(sent.flatMap(reply => reply.match(UUID) ?? []).map((id, index) => [id, index]))
      const numbered = (text: string) => text.replace(UUID, id => `#${ids.get(id) ?? ''}`)
      // those that wait for one batch go on in no order that anybody could rely on
      const sorted = (lines: readonly string[]) => lines.map(numbered).sort()
      return {
        replies: sent.map(numbered),
        records: sinks.map(({ lines }) => sorted(lines)),
        events: sorted(events),
        vends,
        log: sorted(log.lines.map(line => JSON.stringify(line))),
      }
    },
  }
}

/** A sink that takes records at once, refuses them, or takes them only when it is mended. */
function startSink(
  name: string,
): Sink & { lines: string[]; fail(how: 'fails' | 'hangs'): void; mend(): void } {
  const lines: string[] = []
  let mode: 'works' | 'fails' | 'hangs' = 'works'
  let release = () => {}
  let mended = Promise.resolve()
  return {
    name,
    lines,
    async append(batch) {
      if (mode === 'fails') throw new Error('the disk is full')
      await mended
      lines.push(...batch)
    },
    fail(how) {
      this.mend()
      mode = how
      if (how === 'hangs')
        mended = new Promise(resolve => {
          release = resolve
        })
    },
    mend() {
      mode = 'works'
      release()
    },
    headHash: () => undefined,
    close: async () => {},
  }
}

/** The keys of issuers, which change by version without a reload, as those that are fetched. */
function startKeys() {
  let version = 1
  let isRevoked = false
  return {
    of(jwks: unknown): ReadableIssuerKeys {
      const pinned = pinKeys(jwks)
      return {
        get version() {
          return version
        },
        async resolve(header) {
          if (isRevoked) throw unauthenticated('the key is revoked')
          return { ...(await pinned.resolve(header)), version }
        },
        reading: pinned.reading,
      }
    },
    rotate(): void {
      version++
    },
    revoke(): void {
      version++
      isRevoked = true
    },
    restore(): void {
      if (isRevoked) version++
      isRevoked = false
    },
  }
}
