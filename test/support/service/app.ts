import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { AuditLog } from '../../../src/audit/audit-log.ts'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { newApiKey } from '../../../src/authentication/api-key.ts'
import { createIssuerKeysCache } from '../../../src/authentication/issuer-keys-cache.ts'
import type { Config } from '../../../src/config/config.ts'
import type { JetonError } from '../../../src/errors.ts'
import { type AppOptions, createApp } from '../../../src/http/app.ts'
import { createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import { createCaBundles } from '../../../src/rds/ca-bundles.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import type { ConnectionMetrics } from '../../../src/telemetry/metrics.ts'
import type { Traces } from '../../../src/telemetry/traces.ts'
import type { AssumeRole } from '../../../src/tokens/role-session/assume-role.ts'
import { signToken } from '../../../src/tokens/sign.ts'
import { compileAccessPolicy } from '../../../src/vending/access-policy.ts'
import { createRepeatVend } from '../../../src/vending/repeat-vend.ts'
import { createTracedAudits } from '../../../src/vending/traced-audits.ts'
import { createVendToken, type VendToken } from '../../../src/vending/vend-token.ts'
import { type VirtualClock, virtualClock } from '../clock/virtual-clock.ts'
import { ORDERS } from '../databases/orders.ts'
import { startIssuer } from '../oidc/issuer.ts'
import { createLogRecorder } from './log-recorder.ts'
import { createTokenService } from './token-service.ts'

/** An issuer whose keys are not pinned and cannot be fetched. */
export const UNREACHABLE_ISSUER = 'https://unreachable.example'

export interface ApiOptions {
  /** How it listens. */
  options?: AppOptions
  /** Overrides parts of the configuration. */
  config?: Partial<Pick<Config, 'databases' | 'grants'>>
  /** Replaces the real one. */
  vend?: VendToken
  /** Replaces the one that keeps `records`. */
  createAuditLog?: (parts: { clock: VirtualClock }) => AuditLog
  /** Whether the keys of the issuer are in the configuration rather than fetched from it; default: true. */
  hasPinnedKeys?: boolean
  metrics?: ConnectionMetrics
  traces?: Traces
  onVended?: (vend: { durationMs: number }) => void
}

export type TestApi = Awaited<ReturnType<typeof startApi>>

/**
 * Starts the HTTP API on a loopback port until the test ends, with all of its own parts but the clock, STS and the audit log,
 * which are fakes. Virtual time stands still: the first token of a database comes at once, a second would wait for its slot.
 */
export async function startApi({
  options = {},
  config = {},
  vend,
  createAuditLog,
  hasPinnedKeys = true,
  metrics,
  traces,
  onVended,
}: ApiOptions = {}) {
  const clock = virtualClock()
  const log = createLogRecorder()
  const health = createHealth()
  const issuer = await startIssuer({ now: clock.now })
  const apiKey = newApiKey()
  const records: AuditRecord[] = []
  /** The errors that STS and the audit log fail with while they are set. */
  const faults: { sts?: JetonError | undefined; auditLog?: JetonError | undefined } = {}

  const backgroundTasks = createBackgroundTasks()
  const issuerKeys = createIssuerKeysCache({
    clock,
    log,
    health,
    backgroundTasks,
    fetch: (url, init) =>
      String(url).startsWith(issuer.url) ? fetch(url, init) : Promise.reject(new Error('down')),
  })
  const compile = (changes: Partial<Config>) =>
    compileAccessPolicy(
      {
        server: { host: '127.0.0.1', port: 0 },
        issuers: [
          {
            name: 'github',
            issuer: issuer.url,
            audience: 'jeton',
            ...(hasPinnedKeys && { jwks: issuer.jwks() }),
          },
          { name: 'unreachable', issuer: UNREACHABLE_ISSUER, audience: 'jeton' },
        ],
        apiKeys: { 'nightly-report': [apiKey.sha256] },
        databases: [ORDERS],
        grants: GRANTS,
        store: { type: 'memory' },
        audit: [{ type: 'stdout' }],
        origin: { sha256: '', files: {} },
        ...config,
        ...changes,
      },
      { clock, keysOf: issuerKeys.of },
    )
  let accessPolicy = compile({})
  const auditLog: AuditLog = createAuditLog?.({ clock }) ?? {
    async write(record) {
      if (faults.auditLog) throw faults.auditLog
      records.push(record)
    },
    writeLine(line, onWritten) {
      this.write(JSON.parse(line)).then(() => onWritten(), onWritten)
    },
    admitRefusal: record => ({ id: record.id, write: () => void records.push(record) }),
    announce() {},
    flushDue() {},
    headHash: () => undefined,
    drain: async () => {},
    close: async () => {},
  }
  let sessions = 0
  const assume: AssumeRole = async key => {
    if (faults.sts) throw faults.sts
    const identity = `arn:aws:sts::123456789012:assumed-role/jeton-orders/${key.sessionName}`
    const secrets = {
      accessKeyId: `ASIA${++sessions}`,
      secretAccessKey: 'aws-secret',
      sessionToken: 'aws-session',
    }
    return { ...secrets, identity, expiresAt: clock.now() + 3_600_000 }
  }
  const tokenCache = createTokenService({
    clock,
    log,
    store: createMemoryStore(clock),
    backgroundTasks,
    random: Math.random,
    assumeRole: assume,
    sign: signToken,
  })
  const app = await createApp(
    {
      currentPolicy: () => accessPolicy,
      vend: vend ?? createVendToken(tokenCache),
      ...(!vend && { repeatVend: createRepeatVend(tokenCache) }),
      caBundles: createCaBundles(clock),
      health,
      clock,
      log,
      beginAudit: createTracedAudits({ auditLog, clock, instance: 'test/1', traces }),
      traces,
      timer: clock,
      ...(metrics && { metrics }),
      ...(onVended && { onVended }),
    },
    options,
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(async () => {
    app.server.closeAllConnections()
    await app.close()
    await issuer.close()
  })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    clock,
    log,
    health,
    issuer,
    apiKey: apiKey.key,
    records,
    faults,
    /** Replaces the access policy, as a reload of a configuration with these changes does. */
    reload(changes: Partial<Config>) {
      accessPolicy = compile(changes)
    },
    /** Returns the `Authorization` header of a principal with a grant, with these claims instead of its own. */
    bearer: async (claims = {}, options = {}) =>
      `Bearer ${await issuer.sign({ ...CLAIMS, ...claims }, options)}`,
  }
}

const CLAIMS = { repository_id: '123456', ref: 'refs/heads/main' }
const GRANTS: Config['grants'] = [
  {
    name: 'orders-deploy',
    principal: { issuer: 'github', claims: { repository_id: 123456 } },
    database: 'orders',
    users: ['migrator'],
  },
  {
    name: 'orders-report',
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    database: 'orders',
    users: ['app_ro', 'app_rw'],
  },
]
