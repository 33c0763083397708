import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFloodControl } from '../../src/audit/flood-control.ts'
import { ALLOWANCE_BYTES, INDIVIDUAL_LIMIT, LISTING_LIMIT } from '../../src/audit/flood-limits.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { GOLDEN } from './golden.ts'
import { record } from './support.ts'

const refused = (sourceIp: string, fields: Partial<AuditRecord> = {}) =>
  record({ decision: 'refused', code: 'unauthenticated', sourceIp, ...fields })

/** What a principal of this subject caused; `entitledBy` and `now` as the flood control takes them. */
const by = (subject: string, fields: Partial<AuditRecord> = {}, issuer = 'github') =>
  refused('192.0.2.1', { code: 'access_denied', principal: { issuer, subject }, ...fields })

function startFlood() {
  const written: { record: AuditRecord; line: string; isEntitled: boolean }[] = []
  const limits: string[] = []
  const flood = createFloodControl({
    write: refusal => void written.push({ ...refusal, record: { ...refusal.record } }),
    onCounted: limit => limits.push(limit),
  })
  const of = (isCounting: boolean) =>
    written.map(each => each.record).filter(({ count }) => (count !== undefined) === isCounting)
  return {
    written,
    limits,
    flood,
    record: (each: AuditRecord, { entitledBy, now = 0 }: { entitledBy?: string; now?: number } = {}) =>
      flood.admit({ record: each, entitledBy }, now).write(),
    individual: () => of(false),
    counting: () => of(true),
    bytes: () => written.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0),
    total: () => written.reduce((sum, { record: { count = 1 } }) => sum + count, 0),
  }
}

const ipv4 = (n: number) => `${10 + (n & 127)}.${(n >> 7) & 255}.${n >> 15}.1`
/** Many networks of every width. */
const ipv6 = (n: number) => `${(0x2000 + (n & 0xfff)).toString(16)}:${n & 7}:${(n >> 12).toString(16)}::1`

test('one host with a whole /64 is one source, but its failures are another', () => {
  const { record, individual } = startFlood()
  for (let i = 0; i < 1000; i++) record(refused(`2001:db8::${i.toString(16)}`))
  expect(individual()).toHaveLength(INDIVIDUAL_LIMIT)
  record(refused('2001:db8::1', { decision: 'failed', code: 'role_refused' }))
  record(refused('2001:db8:0:1::1'))
  expect(individual()).toHaveLength(INDIVIDUAL_LIMIT + 2)
})

test.each([
  ['/48', (i: number) => `2001:db8:1:${i.toString(16)}::1`, '2001:db8:1::/48', 150],
  ['/32', (i: number) => `2001:db8:${i.toString(16)}::1`, '2001:db8::/32', 200],
  ['/24', (i: number) => `192.0.2.${i & 255}`, '192.0.2.0/24', 150],
  ['/16', (i: number) => `192.0.${i & 255}.1`, '192.0.0.0/16', 200],
])(
  'one %s is one network, however many sources it has, and leaves room for others',
  (_width, address, network, limit) => {
    const { record, individual, counting, flood, limits } = startFlood()
    for (let i = 0; i < 5000; i++) record(refused(address(i)))
    expect(individual()).toHaveLength(limit)
    record(refused('198.51.100.7', { id: 'other' }))
    expect(individual().at(-1)).toMatchObject({ id: 'other' })
    flood.flush()
    expect(counting()).toMatchObject([{ network, count: 5000 - limit, code: 'unauthenticated' }])
    expect(counting()[0]?.sourceIp).toBeUndefined()
    expect(new Set(limits)).toEqual(new Set(['network']))
  },
)

test.each([
  ['IPv4 addresses', ipv4],
  ['IPv6 networks', ipv6],
])(
  'rotating %s write no more than the allowance in a minute, and each is written or counted',
  (_what, address) => {
    const { record, flood, bytes, total, written, counting } = startFlood()
    for (let i = 0; i < 100_000; i++)
      record(refused(address(i), { userAgent: 'x'.repeat(i % 400) }), { now: i / 2 })
    flood.closeWindow(60_000)
    expect(bytes()).toBeLessThan(ALLOWANCE_BYTES)
    expect(bytes()).toBeGreaterThan(ALLOWANCE_BYTES / 2)
    expect(written.length).toBeLessThan(2000)
    expect(total()).toBe(100_000)
    expect(counting().at(-1)).toMatchObject({
      decision: 'refused',
      code: 'unauthenticated',
      reason: 'a flood from callers without a principal: counted, not written one by one',
      since: '2026-11-23T10:00:00.000Z',
    })
  },
)

test('counting records count against the allowance too: to exceed many limits by one gains nothing', () => {
  const { record, flood, bytes, total } = startFlood()
  const listing = (i: number) => by(`stranger-${i}`.padEnd(120, 'x'), { decision: 'listed', code: undefined })
  for (let i = 0; i < 105; i++) for (let times = 0; times < LISTING_LIMIT; times++) record(listing(i))
  expect(total()).toBe(105 * LISTING_LIMIT)
  // on Lambda counts are written every 10 s
  for (let now = 0; now < 60_000; now += 10_000) {
    for (let i = 0; i < 105; i++) for (let times = 0; times < 5; times++) record(listing(i), { now })
    flood.report(now)
  }
  flood.flush()
  expect(bytes()).toBeLessThan(ALLOWANCE_BYTES)
  expect(total()).toBe(105 * (LISTING_LIMIT + 30))
})

const LONG = 'x'.repeat(600)
/** The longest records that callers can cause. */
const long = { userAgent: LONG, reason: LONG, requestId: LONG, database: LONG, user: LONG, refused: LONG }

test('one principal uses only a part of what its grant has, however long its records are and however they end', () => {
  const { record, individual, flood, counting } = startFlood()
  const claims = { ref: 'x'.repeat(9000) }
  for (let i = 0; i < 1000; i++)
    for (const decision of ['refused', 'failed', 'listed'] as const)
      record(by('noisy', { ...long, decision, principal: { issuer: 'github', subject: 'noisy', claims } }), {
        entitledBy: 'deploy',
      })
  for (let i = 0; i < 15; i++) record(by('thief', { id: `p${i}` }), { entitledBy: 'deploy' })
  expect(individual().filter(({ principal }) => principal?.subject === 'thief')).toHaveLength(15)
  flood.flush()
  expect(counting().map(({ principal }) => principal?.subject)).toEqual(['noisy', 'noisy', 'noisy'])
})

test('one network uses only a part of what all that is anonymous has, however long its records are', () => {
  const { record, individual } = startFlood()
  for (let i = 0; i < 5000; i++)
    for (const decision of ['refused', 'failed'] as const)
      record(refused(`192.0.${i & 255}.1`, { ...long, decision }))
  for (let i = 0; i < 15; i++) record(refused(ipv4(i), { id: `p${i}` }))
  expect(individual().filter(({ id }) => id.startsWith('p'))).toHaveLength(15)
})

test('a principal is written under its own name, though its address is flooding', () => {
  const { record, individual } = startFlood()
  for (let i = 0; i < 5000; i++) record(refused('192.0.2.1'))
  for (let i = 0; i < 15; i++) record(by('deployer', { id: `p${i}` }), { entitledBy: 'deploy' })
  expect(individual().slice(INDIVIDUAL_LIMIT)).toHaveLength(15)
  expect(individual().at(-1)).toMatchObject({ id: 'p14', principal: { subject: 'deployer' } })
})

test('a principal is written under its own name, though the allowance of all that is anonymous is used up', () => {
  const { record, individual } = startFlood()
  for (let i = 0; i < 50_000; i++) record(refused(ipv4(i)))
  record(by('deployer'), { entitledBy: 'deploy' })
  record(by('stranger'))
  expect(individual().slice(-2)).toMatchObject([
    { principal: { subject: 'deployer' } },
    { principal: { subject: 'stranger' } },
  ])
})

test('the counting record of a principal names it, its one address, and the code', () => {
  const { record, flood, counting, limits } = startFlood()
  for (let i = 0; i < INDIVIDUAL_LIMIT + 7; i++) record(by('deployer'), { entitledBy: 'deploy' })
  for (let i = 0; i < INDIVIDUAL_LIMIT + 2; i++)
    record(by('nightly', { sourceIp: ipv4(i), code: 'throttled' }, 'apiKey'), { entitledBy: 'report' })
  flood.flush()
  expect(counting()).toMatchObject([
    {
      principal: { issuer: 'github', subject: 'deployer' },
      sourceIp: '192.0.2.1',
      code: 'access_denied',
      count: 7,
    },
    { principal: { issuer: 'apiKey', subject: 'nightly' }, code: 'throttled', count: 2 },
  ])
  expect(counting()[1]?.sourceIp).toBeUndefined()
  expect(new Set(limits)).toEqual(new Set(['principal']))
})

test('failures and listings of a principal are counted apart from its refusals, and listings sooner', () => {
  const { record, individual } = startFlood()
  for (let i = 0; i < 500; i++) {
    record(by('deployer'), { entitledBy: 'deploy' })
    record(by('deployer', { decision: 'failed', code: 'role_refused' }), { entitledBy: 'deploy' })
    record(by('deployer', { decision: 'listed', code: undefined }), { entitledBy: 'deploy' })
  }
  const written = (decision: string) => individual().filter(each => each.decision === decision)
  expect(written('refused')).toHaveLength(INDIVIDUAL_LIMIT)
  expect(written('failed')).toHaveLength(INDIVIDUAL_LIMIT)
  expect(written('listed')).toHaveLength(LISTING_LIMIT)
})

test('principals without any grant share the allowance of their issuer, and of no other', () => {
  const { record, flood, bytes, individual, counting, written } = startFlood()
  for (let i = 0; i < 50_000; i++) record(by(`repo:stranger-${i}`))
  const used = bytes()
  expect(used).toBeLessThan(ALLOWANCE_BYTES)
  record(by('repo:acme/orders', { id: 'entitled' }), { entitledBy: 'deploy' })
  record(by('pod', { id: 'neighbour' }, 'cluster'))
  expect(individual().slice(-2)).toMatchObject([{ id: 'entitled' }, { id: 'neighbour' }])
  expect(written.slice(-2)).toMatchObject([{ isEntitled: true }, { isEntitled: false }])
  flood.flush()
  expect(counting()).toMatchObject([
    {
      code: 'access_denied',
      reason: expect.stringContaining('principals of issuer github without any grant'),
    },
  ])
})

test('principals that rotate under one grant share its allowance, and leave that of others alone', () => {
  const { record, flood, bytes, individual, counting } = startFlood()
  for (let i = 0; i < 50_000; i++) record(by(`repo:acme/fork-${i}`), { entitledBy: 'forks' })
  expect(bytes()).toBeLessThan(ALLOWANCE_BYTES)
  record(by('repo:acme/orders', { id: 'other' }), { entitledBy: 'deploy' })
  expect(individual().at(-1)).toMatchObject({ id: 'other' })
  flood.flush()
  expect(counting()).toMatchObject([{ code: 'access_denied', grant: 'forks' }])
})

test('all entitled principals together are bounded, whatever the number of grants', () => {
  const { record, flood, bytes, total } = startFlood()
  for (let i = 0; i < 60_000; i++) record(by(`repo:acme/${i}`), { entitledBy: `grant-${i % 100}` })
  flood.flush()
  expect(bytes()).toBeLessThan(8 * ALLOWANCE_BYTES + 16 * 1024)
  expect(total()).toBe(60_000)
})

test('a refusal that is only counted is not rendered: its reason may be costly to find', () => {
  const { record } = startFlood()
  let rendered = 0
  const reason = {
    get() {
      rendered++
      return 'x'
    },
    enumerable: true,
  }
  const costly = (subject: string) => Object.defineProperty(by(subject), 'reason', reason)
  for (let i = 0; i < INDIVIDUAL_LIMIT; i++) record(by('deployer'))
  for (let i = 0; i < 100; i++) record(costly('deployer'))
  expect(rendered).toBe(0)
  // what is left of the allowance is too little for the last one, which ends it
  for (let i = 0; i < 5000; i++) record(by(`s${i}`, { userAgent: 'x'.repeat(250) }))
  for (let i = 0; i < 100; i++) record(costly(`t${i}`))
  expect(rendered).toBe(0)
})

test('the next window has all limits again, even if the clock was put back', () => {
  for (const now of [60_000, -1]) {
    const { record, individual, counting } = startFlood()
    for (let i = 0; i < INDIVIDUAL_LIMIT + 1; i++) record(refused('192.0.2.1'))
    record(refused('192.0.2.1', { id: 'next' }), { now })
    expect(individual().at(-1)).toMatchObject({ id: 'next' })
    expect(counting()).toMatchObject([{ count: 1 }])
  }
})

test('createFloodControl writes or counts each record once, under its own code', () => {
  const source = fc.integer({ min: 0, max: 4 }).map(n => `192.0.2.${n}`)
  const subject = fc.constantFrom(undefined, 'a', 'b')
  const code = fc.constantFrom('unauthenticated', 'access_denied')
  const entitledBy = fc.constantFrom(undefined, 'deploy')
  const step = fc.tuple(source, subject, code, entitledBy, fc.integer({ min: 0, max: 3000 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const { flood, written, total } = startFlood()
      let now = 0
      for (const [sourceIp, subject, code, entitledBy, ms] of steps) {
        now += ms
        flood.closeWindow(now)
        const principal = subject === undefined ? undefined : { issuer: 'ci', subject }
        flood.admit({ record: refused(sourceIp, { code, principal }), entitledBy }, now).write()
      }
      flood.flush()
      const totals = new Map<string | undefined, number>()
      for (const { record } of written)
        totals.set(record.code, (totals.get(record.code) ?? 0) + (record.count ?? 1))
      for (const [code, count] of totals) expect(steps.filter(step => step[2] === code)).toHaveLength(count)
      expect(total()).toBe(steps.length)
    }),
  )
})

test('a counting record has the bytes that it always had', () => {
  const { record: recordRefusal, flood, counting } = startFlood()
  for (const time of [...Array(101).fill(0), 1, 2].map(second => `2026-11-23T10:00:0${second}.000Z`))
    recordRefusal(refused('192.0.2.7', { instance: 'host-1', requestId: 'q', time }))
  flood.flush()
  expect(counting().map(each => renderRecord({ ...each, id: 'ID' }))).toEqual([GOLDEN.floodLine])
})
