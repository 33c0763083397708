import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import type { Config } from '../../src/config/config.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { type Issuer, startIssuer } from '../support/oidc/issuer.ts'
import { startObservedService, type TokenPost } from './observed-service.ts'

const MINUTE = 60_000
const apiKey = newApiKey()
let issuer: Issuer
/** The values of `Authorization` that callers show. */
let credentials: Readonly<Record<Credential, string>>

const CREDENTIALS = [
  'alice',
  'bob',
  'short',
  'long',
  'outsider',
  'apiKey',
  'unknownKey',
  'none',
  'malformed',
] as const
type Credential = (typeof CREDENTIALS)[number]

beforeAll(async () => {
  issuer = await startIssuer({ now: virtualClock().now })
  const bearer = async (claims: object, expiresInSeconds = 36_000) =>
    `Bearer ${await issuer.sign({ ...claims }, { expiresInSeconds })}`
  credentials = {
    alice: await bearer({ sub: 'alice', team: 'ops' }),
    bob: await bearer({ sub: 'bob\u202e "quoted" é', team: 'dev', note: ['\u0007', { deep: '日本' }] }),
    short: await bearer({ sub: 'short', team: 'ops' }, 90),
    long: await bearer({ sub: 's'.repeat(600), team: 'ops', note: 'n'.repeat(3000) }),
    outsider: await bearer({ sub: 'outsider' }),
    apiKey: `ApiKey ${apiKey.key}`,
    unknownKey: `ApiKey ${newApiKey().key}`,
    none: '',
    malformed: 'Bearer a b',
  }
})
afterAll(() => issuer.close())

const OPS = { issuer: 'ci', claims: { team: 'ops' } }
const BILLING = { ...ORDERS, name: 'billing', host: ORDERS.host.replace('orders', 'billing') }
/** In the virtual time of these tests, which begins at ten. */
const GRANTS: Config['grants'] = [
  {
    name: 'ops-first',
    principal: OPS,
    database: 'orders',
    users: ['migrator'],
    notAfter: '2026-11-23T10:02:00Z',
  },
  {
    name: 'ops-later',
    principal: OPS,
    database: 'orders',
    users: ['app_ro'],
    session: 'per-principal',
    notBefore: '2026-11-23T10:05:00Z',
    notAfter: '2026-11-23T10:09:00Z',
  },
  { name: 'ops', principal: OPS, database: 'orders', users: ['migrator'] },
  { name: 'ops-billing', principal: OPS, database: 'billing', users: ['app_ro', 'app_rw'] },
  {
    name: 'dev',
    principal: { issuer: 'ci', claims: { team: 'dev', note: '*' } },
    database: 'orders',
    users: ['app_ro'],
  },
  {
    name: 'dev-own',
    principal: { issuer: 'ci', claims: { team: 'dev' } },
    database: 'orders',
    users: ['app_rw'],
    session: 'per-principal',
  },
  {
    name: 'report',
    principal: { issuer: 'apiKey', subject: 'report' },
    database: 'orders',
    users: ['migrator', 'app_ro'],
    notAfter: '2026-11-23T10:12:00Z',
  },
]

/** The configurations that a reload may bring. */
const RELOADS = {
  same: {},
  'no grants': { grants: [] },
  'grant renamed': { grants: GRANTS.map(grant => ({ ...grant, name: `${grant.name}-2` })) },
  'session changed': { grants: GRANTS.map(grant => ({ ...grant, session: 'per-principal' as const })) },
  'ops alone': { grants: GRANTS.slice(0, 4) },
  'all but over': { grants: GRANTS.map(grant => ({ ...grant, notAfter: '2026-11-23T10:00:01Z' })) },
  'port changed': { databases: [{ ...ORDERS, port: 6432 }, BILLING] },
  'dbname and address changed': {
    databases: [{ ...ORDERS, dbname: 'shop', connect: { host: 'localhost', port: 5433 } }, BILLING],
  },
  'key revoked': { apiKeys: {} },
} satisfies Record<string, Partial<Config>>

function configOf(changes: Partial<Config> = {}): Config {
  return {
    server: { host: '127.0.0.1', port: 0 },
    issuers: [{ name: 'ci', issuer: issuer.url, audience: 'jeton', jwks: issuer.jwks() }],
    apiKeys: { report: [apiKey.sha256] },
    databases: [ORDERS, BILLING],
    grants: GRANTS,
    store: { type: 'memory' },
    audit: [],
    origin: { sha256: '', files: {} },
    ...changes,
  }
}

const text = fc.oneof(
  fc.constantFrom(
    'curl/8',
    'a "quoted" \\ agent',
    'x'.repeat(256),
    'x'.repeat(257),
    'é',
    '\u007f',
    '',
    '日'.repeat(90),
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
)
const asked = fc.record(
  {
    database: fc.oneof(
      { weight: 8, arbitrary: fc.constant('orders') },
      fc.constantFrom('billing', 'unknown', 'a\nb'),
    ),
    user: fc.constantFrom('migrator', 'app_ro', 'app_rw', 'root'),
    caPem: fc.boolean(),
    minimumSeconds: fc.constantFrom(60, 600, 840),
    refused: fc.constantFrom('f'.repeat(64), 'current'),
  },
  { requiredKeys: ['database'] },
)
const request = fc.record({
  credential: fc.oneof(
    { weight: 3, arbitrary: fc.constant('alice' as const) },
    { weight: 2, arbitrary: fc.constantFrom('bob', 'short', 'apiKey') },
    fc.constantFrom(...CREDENTIALS),
  ),
  body: fc.oneof(
    { weight: 5, arbitrary: fc.constant({ database: 'orders', user: 'migrator' }) },
    { weight: 3, arbitrary: fc.constant({ database: 'orders' }) },
    {
      weight: 2,
      arbitrary: fc.record({ database: fc.constant('orders'), minimumSeconds: fc.constantFrom(600, 840) }),
    },
    { weight: 3, arbitrary: asked },
    fc.constantFrom('{', '[]', '{"database":7}', '{"database":"orders","database":"billing"}'),
  ),
  agent: fc.option(text, { nil: undefined }),
  from: fc.option(fc.constantFrom('192.0.2.7', '192.0.2.8, 198.51.100.1', '2001:db8::1', 'unknown', '日'), {
    nil: undefined,
  }),
  id: fc.option(fc.constantFrom('trace-1', 'i'.repeat(513), '"é\\'), { nil: undefined }),
})

const UNREMARKABLE = { agent: undefined, from: undefined, id: undefined }
/** Requests for tokens that most of the others ask for. */
const FIRST = [
  { credential: 'alice', body: { database: 'orders' }, ...UNREMARKABLE },
  { credential: 'bob', body: { database: 'orders', user: 'app_ro' }, ...UNREMARKABLE },
  { credential: 'apiKey', body: { database: 'orders', user: 'migrator' }, ...UNREMARKABLE },
] as const

const reload = fc.record({
  kind: fc.constant('reload' as const),
  to: fc.constantFrom(...(Object.keys(RELOADS) as (keyof typeof RELOADS)[])),
})
const advance = fc.record({
  kind: fc.constant('advance' as const),
  ms: fc.oneof(
    fc.constantFrom(1, 900, 2000, 90_000, 2 * MINUTE, 5 * MINUTE, 9 * MINUTE),
    fc.integer({ min: 1, max: 16 * MINUTE }),
  ),
})
const shift = fc.record({
  kind: fc.constant('shift' as const),
  ms: fc.constantFrom(-16 * MINUTE, -3000, -1, 3000, 4 * MINUTE),
})
const post = fc.record({ kind: fc.constant('post' as const), request })
const rotate = fc.record({ kind: fc.constant('rotate' as const) })
const single = fc.oneof(
  { weight: 4, arbitrary: post },
  { weight: 3, arbitrary: reload },
  { weight: 2, arbitrary: advance },
  shift,
  rotate,
)
/** Steps while a sink or the issuer's key is at fault. A sink that hangs has a request's record to write meanwhile. */
const faulty = fc.record({
  kind: fc.constantFrom(
    'a hangs' as const,
    'b hangs' as const,
    'a fails' as const,
    'b fails' as const,
    'revoked' as const,
  ),
  steps: fc
    .tuple(post, fc.array(single, { minLength: 1, maxLength: 3 }))
    .map(([first, rest]) => [first, ...rest]),
})
const step = fc.oneof(
  { weight: 3, arbitrary: faulty },
  { weight: 5, arbitrary: post },
  { weight: 3, arbitrary: single },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
type ObservedService = Awaited<ReturnType<typeof startObservedService>>

async function perform(service: ObservedService, next: Step): Promise<void> {
  switch (next.kind) {
    case 'post':
      return service.post(requestOf(service, next.request))
    case 'reload':
      return service.reload(configOf(RELOADS[next.to]))
    case 'advance':
      return service.advance(next.ms)
    case 'shift':
      return service.shiftClock(next.ms)
    case 'rotate':
      return service.keys.rotate()
    default:
      service.fail(next.kind)
      for (const inner of next.steps) await perform(service, inner)
      return service.mend()
  }
}

function requestOf(
  service: ObservedService,
  { credential, body, agent, from, id }: typeof request extends fc.Arbitrary<infer V> ? V : never,
): TokenPost {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    authorization: credentials[credential],
  }
  if (agent !== undefined) headers['user-agent'] = agent
  if (from !== undefined) headers['x-forwarded-for'] = from
  if (id !== undefined) headers['x-own-id'] = id
  if (typeof body === 'string') return { headers, body }
  const refused = 'refused' in body && body.refused === 'current' ? lastFingerprint(service) : undefined
  return { headers, body: JSON.stringify({ ...body, ...(refused !== undefined && { refused }) }) }
}

function lastFingerprint({ sinks }: ObservedService): string {
  return /"fingerprint":"(\w+)"/.exec(sinks[0]?.lines.at(-1) ?? '')?.[1] ?? 'f'.repeat(64)
}

async function seen(steps: readonly Step[], options: { isDirect: boolean }) {
  const service = await startObservedService({ ...options, config: configOf() })
  for (const first of FIRST) await service.post(requestOf(service, first))
  for (const next of steps) await perform(service, next)
  return service.end()
}

const SOON_OVER: Config['grants'] = [
  {
    name: 'short',
    principal: OPS,
    database: 'orders',
    users: ['migrator'],
    notBefore: '2026-11-23T10:00:00Z',
    notAfter: '2026-11-23T10:00:05Z',
  },
]

/** A service that has vended alice's token once, and tells what it answers and records afterwards. */
async function startSoonOver() {
  const service = await startObservedService({ isDirect: true, config: configOf({ grants: SOON_OVER }) })
  const post = () => service.post(requestOf(service, FIRST[0]))
  await post()
  return { service, post }
}

async function outcomeOf(service: ObservedService) {
  const { replies, records } = await service.end()
  const decisions = (records[0] ?? [])
    .map(line => JSON.parse(line))
    .sort((a, b) => (a.time < b.time ? -1 : 1))
  return { statuses: replies.map(reply => JSON.parse(reply)[0]), decisions }
}

test('a token of the cache is not vended a millisecond after its grant has ended, and the record says why', async () => {
  const { service, post } = await startSoonOver()
  await service.advance(5000)
  await post()
  await service.advance(1)
  await post()
  const { statuses, decisions } = await outcomeOf(service)
  expect(statuses).toEqual([200, 200, 403])
  expect(decisions).toMatchObject([
    { decision: 'vended', cached: false },
    { decision: 'vended', cached: true, grant: 'short' },
    {
      decision: 'refused',
      code: 'access_denied',
      reason: 'nearest grant short: ended at 2026-11-23T10:00:05Z',
    },
  ])
})

test('a token of the cache does not leave if its grant ended while the audit log wrote', async () => {
  const { service, post } = await startSoonOver()
  await service.advance(4000)
  service.fail('a hangs')
  await post()
  await service.advance(1001)
  await service.mend()
  const { statuses, decisions } = await outcomeOf(service)
  expect(statuses).toEqual([200, 403])
  expect(decisions.map(({ decision, code }) => code ?? decision)).toEqual([
    'vended',
    'vended',
    'access_denied',
  ])
})

test('a clock that is put back before a grant begins takes it away again, from the cache too', async () => {
  const { service, post } = await startSoonOver()
  await post()
  service.shiftClock(-1)
  await post()
  service.shiftClock(1)
  await post()
  const { statuses, decisions } = await outcomeOf(service)
  expect(statuses).toEqual([200, 200, 403, 200])
  expect(decisions.find(({ code }) => code === 'access_denied').reason).toBe(
    'nearest grant short: begins at 2026-11-23T10:00:00Z',
  )
})

test('nobody can tell a repeat vend from one that goes the long way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
      expect(await seen(steps, { isDirect: true })).toEqual(await seen(steps, { isDirect: false }))
    }),
    { numRuns: Number(process.env.RUNS ?? 60) },
  )
})
