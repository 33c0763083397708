import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { canonicalJson } from '../../src/lib/json.ts'
import { resourceKey } from '../../src/rds/database.ts'
import { encryptStore } from '../../src/store/encrypted-store.ts'
import { guardStore } from '../../src/store/guarded-store.ts'
import { createKmsKeyring } from '../../src/store/keyring/kms-keyring.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { createRateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import { createRoleBreaker } from '../../src/tokens/role-session/role-breaker.ts'
import { signToken } from '../../src/tokens/sign.ts'
import { createTokenCache, type TokenCache } from '../../src/tokens/token-cache.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import { type TokenKey, tokenKey } from '../../src/tokens/token-key.ts'
import { LEASE_MS } from '../../src/tokens/token-store.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { type BoundKms, createBoundKms } from '../support/service/bound-kms.ts'
import { createHostileTable, type HostileTable } from '../support/service/hostile-table.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'
import { ownerOf, sessionOf } from './instances.ts'

/** Stands in every text that the attacker writes. */
const WORD = 'click-here.example'
const KMS_KEY = 'alias/jeton'
const KEYS = ['migrator', 'app_ro'].map(user => tokenKey({ database: ORDERS, user }))
/** What callers wait for besides a lease: polls of the store, and slots. */
const ALLOWANCE_MS = 2000

/** Two instances on one table, and a stranger who can read and write it, but has neither KMS nor their memory. */
interface Scene {
  readonly clock: VirtualClock
  readonly table: HostileTable
  readonly kms: BoundKms
  readonly log: LogRecorder
  readonly instances: TokenCache[]
  /** Whether STS refuses every role. */
  readonly sts: { refuses: boolean }
  /** The texts of all tokens that were signed, by the id of their key. */
  readonly signed: Map<string, Set<string>>
  /** Everything that callers and records were shown. */
  readonly shown: unknown[]
}

function startScene(): Scene {
  const clock = virtualClock()
  const signed = new Map(KEYS.map(({ id }) => [id, new Set<string>()]))
  const [table, kms, log] = [createHostileTable(clock), createBoundKms(), createLogRecorder()]
  const scene = {
    clock,
    table,
    kms,
    log,
    instances: [] as TokenCache[],
    signed,
    shown: [],
    sts: { refuses: false },
  }
  scene.instances.push(startInstance(scene), startInstance(scene))
  return scene
}

let sessions = 0

function startInstance({ clock, table, kms, log, signed, sts }: Scene): TokenCache {
  const health = createHealth()
  const store = guardStore(table, { clock, health, log })
  const keyring = createKmsKeyring({
    kms,
    kmsKeyId: KMS_KEY,
    store,
    clock,
    log,
    health,
    backgroundTasks: createBackgroundTasks(),
  })
  const onUnreadable = (record: object) => log.warn({ event: 'record_unreadable', ...record }, '')
  const shared = { clock, store, log, random: () => 0.5, backgroundTasks: createBackgroundTasks() }
  async function assumeRole() {
    if (sts.refuses) throw new JetonError('role_refused', { publicMessage: 'AWS refuses the role' })
    return sessionOf(`${++sessions}`, clock.now() + 3_600_000)
  }
  const encryptedStore = encryptStore(store, { keyring, clock, onUnreadable })
  return createTokenCache({
    ...shared,
    encryptedStore,
    rateLimiter: createRateLimiter({ encryptedStore, clock }),
    roleAssumer: createRoleBreaker(assumeRole, { ...shared, encryptedStore }),
    async sign(key, options) {
      const token = await signToken(key, options)
      signed.get(key.id)?.add(token.text)
      return token
    },
  })
}

/** Requests a token, and lets time pass until it is there or refused. */
async function request(
  { clock, signed, shown }: Scene,
  { from, key, rejectedFingerprint }: { from: TokenCache; key: TokenKey; rejectedFingerprint?: string },
): Promise<TokenDelivery | undefined> {
  const owner = ownerOf(key)
  const work = from.get(key, { rejectedFingerprint, owner }).then(async delivery => {
    await delivery.deliver(owner)
    return delivery
  })
  const settled = work.then(
    delivery => ({ delivery }),
    (cause: unknown) => ({ cause }),
  )
  let outcome: Awaited<typeof settled> | undefined
  void settled.then(result => {
    outcome = result
  })
  await settle()
  for (let passed = 0; !outcome && passed < 40_000; passed += 50) await clock.advance(50)
  if (outcome && 'delivery' in outcome) {
    const { token } = outcome.delivery
    expect(signed.get(key.id)).toContain(token.text)
    shown.push(token)
    return outcome.delivery
  }
  const { cause } = outcome ?? expect.fail('the request did not end')
  if (!(cause instanceof JetonError)) throw cause
  const { code, publicMessage, reason, message } = cause
  expect(['temporarily_unavailable', 'throttled', 'role_refused']).toContain(code)
  shown.push(code, publicMessage, reason, message)
  return undefined
}

/** The keys that a stranger can name, whether or not there is a record. */
function knownKeys({ clock, table }: Scene): string[] {
  const prefix = `data-key/${sha256Hex(KMS_KEY).slice(0, 12)}`
  const days = [0, 86_400_000].map(ms => new Date(clock.now() + ms).toISOString().slice(0, 10))
  return [
    ...KEYS.map(({ id }) => `token/${id}`),
    `turns/${resourceKey(ORDERS)}`,
    `role/${sha256Hex(canonicalJson({ roleArn: ORDERS.roleArn }))}`,
    ...days.flatMap(day => [`${prefix}/${day}`, `${prefix}/${day}/bound`]),
    ...table.keys(),
  ]
}

/** What a stranger writes, or an honest caller or operator does; the numbers choose among what there is. */
type Step =
  | { readonly plant: number; readonly text: HostileText }
  | { readonly copy: number; readonly from: number; readonly version: number }
  | { readonly change: number; readonly delay: number; readonly at: number }
  | { readonly remove: number }
  | { readonly request: number; readonly key: number; readonly isReported: boolean }
  | { readonly restart: number }
  | { readonly isRefused: boolean }
  | { readonly wait: number }

type HostileText =
  | { readonly literal: string }
  | { readonly header: object; readonly delay: number }
  | { readonly roleFailure: object; readonly delay: number }
  | { readonly keyBytes: number }

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)]
const anyIndex = fc.nat({ max: 40 })
/** From a minute ago until the year 275760, many of them around a lease. */
const anyDelay = fc.oneof(
  fc.integer({ min: -60_000, max: 60_000 }),
  fc.integer({ min: 15_000, max: 17_000 }),
  fc.constant(6e15),
)

const NO_KEY = 'data-key/b734bc212cf9/2026-11-23/0123456789abcdef'
const hostileTexts: fc.Arbitrary<HostileText> = fc.oneof(
  fc.record({
    literal: fc.constantFrom('', WORD, '{"v":1', `${WORD}\n${WORD}`, `{"v":1,"sealed":"${WORD}"}`),
  }),
  // an envelope, or a record, of a later format, or under a key that nobody has
  fc.record({
    header: fc.constantFrom({ v: 2, more: WORD }, { v: 1, key: WORD }, { v: 1, key: NO_KEY }, { v: 0 }),
    delay: anyDelay,
  }),
  fc.record({
    roleFailure: fc.record({
      failures: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant(1e9)),
      code: fc.constantFrom('role_refused', 'temporarily_unavailable', WORD),
      isProbed: fc.boolean(),
    }),
    delay: anyDelay,
  }),
  // a data key that KMS did not make
  fc.record({ keyBytes: fc.constantFrom(0, 184, 7000) }),
)

function hostileBytes(text: HostileText, now: number): Buffer {
  if ('literal' in text) return Buffer.from(text.literal)
  if ('keyBytes' in text)
    return Buffer.from(`{"v":1,"sealed":"${randomBytes(text.keyBytes).toString('base64')}"}`)
  const time = now + text.delay
  if ('header' in text)
    return Buffer.from(`${JSON.stringify({ ...text.header, keepUntil: time })}\n${WORD.repeat(5)}`)
  return Buffer.from(
    JSON.stringify({ v: 1, until: time, reason: WORD, publicMessage: WORD, ...text.roleFailure }),
  )
}

const hostileSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ plant: anyIndex, text: hostileTexts }),
  fc.record({ copy: anyIndex, from: anyIndex, version: anyIndex }),
  fc.record({ change: anyIndex, delay: anyDelay, at: fc.nat({ max: 200 }) }),
  fc.record({ remove: anyIndex }),
)

const honestSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ request: anyIndex, key: anyIndex, isReported: fc.boolean() }),
  fc.record({ restart: anyIndex }),
  fc.record({ isRefused: fc.boolean() }),
  fc.record({ wait: fc.constantFrom(50, 2000, 10_000, 16_000, 60_000, 10 * 60_000, 86_400_000) }),
)

async function take(step: Step, scene: Scene): Promise<void> {
  const { clock, table, instances } = scene
  const keyAt = (index: number) => pick(knownKeys(scene), index) ?? ''
  if ('isRefused' in step) {
    scene.sts.refuses = step.isRefused
    return
  }
  if ('wait' in step) return clock.advance(step.wait)
  if ('remove' in step) return table.remove(keyAt(step.remove))
  if ('plant' in step) return table.plant(keyAt(step.plant), hostileBytes(step.text, clock.now()))
  if ('copy' in step) {
    // an older record of the same key, or one of another key
    const target = keyAt(step.copy)
    const source = step.version % 2 === 0 ? target : keyAt(step.from)
    const bytes = pick(table.written(source), step.version)
    return bytes && table.plant(target, bytes)
  }
  if ('change' in step) {
    // its times, and a bit
    const target = keyAt(step.change)
    const text = Buffer.from(table.peek(target) ?? []).toString('latin1')
    const time = clock.now() + step.delay
    const changed = Buffer.from(text.replace(/"(keepUntil|until)":\d+/g, `"$1":${time}`), 'latin1')
    if (step.at < changed.length) changed[step.at] = (changed[step.at] ?? 0) ^ 1
    return table.plant(target, changed)
  }
  if ('restart' in step) {
    instances[step.restart % instances.length] = startInstance(scene)
    return
  }
  const [from, key] = [pick(instances, step.request), pick(KEYS, step.key)]
  const delivery = from && key && (await request(scene, { from, key }))
  if (step.isReported && delivery)
    await request(scene, { from, key, rejectedFingerprint: delivery.token.fingerprint })
}

/** Whether a token is there within a lease, for a caller that asks again every half a second. */
async function expectServed(scene: Scene, { from, key }: { from: TokenCache; key: TokenKey }): Promise<void> {
  const since = scene.clock.now()
  for (;;) {
    if (await request(scene, { from, key })) break
    await scene.clock.advance(500)
    expect(scene.clock.now() - since).toBeLessThan(LEASE_MS + ALLOWANCE_MS)
  }
  expect(scene.clock.now() - since).toBeLessThan(LEASE_MS + ALLOWANCE_MS)
}

test('whoever writes to the table gets no token, denies none for longer than a lease, and has no word in anything', async () => {
  const steps = fc.array(
    fc.oneof({ arbitrary: hostileSteps, weight: 3 }, { arbitrary: honestSteps, weight: 2 }),
    {
      minLength: 1,
      maxLength: 25,
    },
  )
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), anyIndex, async (all, isRestarted, first) => {
      const scene = startScene()
      for (const step of all) await take(step, scene)
      scene.sts.refuses = false
      if (isRestarted) scene.instances.push(startInstance(scene))
      const [from, key] = [pick(scene.instances.toReversed(), first), pick(KEYS, first)]
      if (from && key) await expectServed(scene, { from, key })
      for (const each of KEYS)
        for (const instance of scene.instances) await expectServed(scene, { from: instance, key: each })

      const { log, table, shown } = scene
      expect(JSON.stringify([log.lines, shown])).not.toContain(WORD)
      for (const key of table.keys())
        for (const bytes of table.written(key))
          expect(Buffer.from(bytes).toString('latin1')).not.toContain(WORD)
    }),
    { numRuns: 150 },
  )
}, 300_000)
