import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Journal } from '../../src/audit/journal.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { Config } from '../../src/config/config.ts'
import { compileRules } from '../../src/config/rules.ts'
import { createCaBundles } from '../../src/databases/ca.ts'
import type { JetonError } from '../../src/errors.ts'
import { createHealth } from '../../src/health.ts'
import { type AppOptions, createApp } from '../../src/http/app.ts'
import { createLooseEnds } from '../../src/loose-ends.ts'
import { newApiKey } from '../../src/principals/api-key.ts'
import { createKeySets } from '../../src/principals/key-sets.ts'
import { memoryShelf } from '../../src/shelf/memory.ts'
import type { Assume } from '../../src/tokens/assume.ts'
import { createBook } from '../../src/tokens/book.ts'
import { createPace } from '../../src/tokens/pace.ts'
import { signToken } from '../../src/tokens/sign.ts'
import { createTrails } from '../../src/trail.ts'
import { createVend, type Vend } from '../../src/vend.ts'
import { virtualClock } from './clock.ts'
import { startIssuer } from './issuer.ts'
import { rememberingLog } from './log.ts'
import { ORDERS } from './orders.ts'

/** Whose keys are not pinned and cannot be fetched. */
export const UNREACHABLE_ISSUER = 'https://unreachable.example'

export interface AppWorldOptions {
  /** How it listens. */
  options?: AppOptions
  /** Laid over the configuration. */
  config?: Partial<Pick<Config, 'databases' | 'grants'>>
  /** In the place of the real one. */
  vend?: Vend
}

export type AppWorld = Awaited<ReturnType<typeof appWorld>>

/**
 * The HTTP API on a port of loopback with the project's own parts behind it; played are only the clock, STS and the
 * journal. Time stands still, so the first token of a database comes at once and a second at once would wait for its turn.
 * Gone when the test ends.
 */
export async function appWorld({ options = {}, config = {}, vend }: AppWorldOptions = {}) {
  const clock = virtualClock()
  const log = rememberingLog()
  const health = createHealth()
  const issuer = await startIssuer({ now: clock.now })
  const apiKey = newApiKey()
  const records: AuditRecord[] = []
  /** What goes wrong, until it is set to undefined. */
  const faults: { sts?: JetonError | undefined; journal?: JetonError | undefined } = {}

  const looseEnds = createLooseEnds()
  const rules = compileRules(
    {
      server: { host: '127.0.0.1', port: 0 },
      issuers: [
        { name: 'github', issuer: issuer.url, audience: 'jeton', jwks: issuer.jwks() },
        { name: 'unreachable', issuer: UNREACHABLE_ISSUER, audience: 'jeton' },
      ],
      apiKeys: { 'nightly-report': [apiKey.sha256] },
      databases: [ORDERS],
      grants: GRANTS,
      store: { type: 'memory' },
      audit: [{ type: 'stdout' }],
      ...config,
    },
    {
      clock,
      keysOf: createKeySets({
        clock,
        log,
        health,
        looseEnds,
        fetch: () => Promise.reject(new Error('down')),
      }).of,
    },
  )
  const journal: Journal = {
    async vended(record) {
      if (faults.journal) throw faults.journal
      records.push(record)
    },
    refused: record => void records.push(record),
    tick() {},
    lastHash: () => undefined,
    settled: async () => {},
    close: async () => {},
  }
  let sessions = 0
  const assume: Assume = async key => {
    if (faults.sts) throw faults.sts
    const identity = `arn:aws:sts::123456789012:assumed-role/jeton-orders/${key.sessionName}`
    const secrets = {
      accessKeyId: `ASIA${++sessions}`,
      secretAccessKey: 'aws-secret',
      sessionToken: 'aws-session',
    }
    return { ...secrets, identity, expiresAt: clock.now() + 3_600_000 }
  }
  const shelf = memoryShelf(clock)
  const book = createBook({
    clock,
    log,
    shelf,
    pace: createPace({ shelf, clock }),
    looseEnds,
    random: Math.random,
    sign: signToken,
    roles: { assume, check() {} },
  })
  const app = await createApp(
    {
      rules: () => rules,
      vend: vend ?? createVend(book),
      caBundles: createCaBundles(clock),
      health,
      clock,
      log,
      beginTrail: createTrails({ journal, clock, instance: 'test/1' }),
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
    /** The `Authorization` of a principal that the grants mean, with these claims laid over its own. */
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
