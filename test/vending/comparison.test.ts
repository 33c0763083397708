import { describe, expect, test } from 'vitest'
import type { LifecycleRecord } from '../../src/audit/lifecycle-record.ts'
import { type ParsedRecord, parseRecord } from '../../src/audit/parsed-record.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { compareAccess, type DecidingConfig } from '../../src/vending/comparison/compare-access.ts'
import { gatherCallers } from '../../src/vending/comparison/recorded-callers.ts'
import { NOON, parsed, recordAt } from '../audit/support.ts'
import { ORDERS } from '../support/databases/orders.ts'

const IDENTITY = 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator'
const CI = { name: 'ci', issuer: 'https://ci.example', audience: 'jeton' }

const grant = (more: Partial<GrantSpec> = {}): GrantSpec => ({
  name: 'deploy',
  principal: { issuer: 'ci', claims: { team: 'ops' } },
  database: 'orders',
  users: ['migrator'],
  ...more,
})

const by = (claims: object, subject = 'job') =>
  ({ issuer: 'ci', subject, claims }) as NonNullable<AuditRecord['principal']>

const vend = (minute: number, more: Partial<AuditRecord> = {}) =>
  recordAt(NOON + minute * 60_000, {
    principal: by({ team: 'ops' }),
    database: 'orders',
    user: 'migrator',
    grant: 'deploy',
    identity: IDENTITY,
    instance: 'a',
    ...more,
  })

const denial = (minute: number, more: Partial<AuditRecord> = {}) =>
  recordAt(NOON + minute * 60_000, {
    decision: 'refused',
    code: 'access_denied',
    principal: by({ team: 'dev' }),
    database: 'orders',
    user: 'migrator',
    instance: 'a',
    ...more,
  })

function started(minute: number, sha256: string, instance = 'a'): ParsedRecord {
  const record: LifecycleRecord = {
    type: 'jeton.audit.started',
    v: 1,
    id: `s${minute}`,
    time: new Date(NOON + minute * 60_000).toISOString(),
    instance,
    jeton: '1',
    configuration: { source: 'jeton.yaml', sha256, files: {} },
  }
  return parseRecord(JSON.stringify(record)) ?? expect.fail('it is a record')
}

async function* each(records: readonly (AuditRecord | ParsedRecord)[]): AsyncGenerator<ParsedRecord> {
  for (const record of records) yield 'line' in record ? record : parsed(record)
}

/** What comes of each caller, as `KIND SUBJECT: WHY`. */
async function compare(
  records: readonly (AuditRecord | ParsedRecord)[],
  grants: readonly GrantSpec[],
  more: Partial<DecidingConfig> = {},
) {
  const config = { issuers: [CI], apiKeys: {}, databases: [ORDERS], grants, ...more }
  const { changed } = compareAccess(await gatherCallers(each(records)), { config, now: NOON })
  return changed.map(({ caller, change: { kind, ...why } }) => ({
    kind,
    subject: caller.subject,
    ...why,
  }))
}

describe('compareAccess', () => {
  test('finds nothing if the grants are those of then, with callers that lack a claim and others that were denied', async () => {
    const grants = [
      grant({ name: 'production', principal: { issuer: 'ci', claims: { team: 'ops', env: 'prod' } } }),
      grant(),
    ]
    const records = [
      started(0, 'c1'),
      vend(1, { principal: by({ team: 'ops', env: 'prod' }), grant: 'production' }),
      vend(2),
      denial(3),
      denial(4, { principal: by({}) }),
      denial(5, { principal: by({ team: 'ops', env: 'prod' }), user: 'app_ro' }),
    ]
    expect(await compare(records, grants)).toEqual([])
  })

  test('says who loses, how often it was vended, when last and under which grant, and the nearest miss', async () => {
    const records = [vend(1), vend(2), vend(3, { principal: by({ team: 'ops' }, 'another') })]
    const config = {
      issuers: [CI],
      apiKeys: {},
      databases: [ORDERS],
      grants: [grant({ principal: { issuer: 'ci', subject: 'another', claims: { team: ['dev', 'ops'] } } })],
    }
    const { changed } = compareAccess(await gatherCallers(each(records)), { config, now: NOON })
    expect(changed).toMatchObject([
      {
        caller: {
          subject: 'job',
          database: 'orders',
          user: 'migrator',
          vends: 2,
          last: '2026-11-23T12:02:00.000Z',
          grant: 'deploy',
        },
        change: { kind: 'loses', reason: 'nearest grant deploy: subject is "job", wanted another' },
      },
    ])
  })

  test('says of a grant that is over that it ended', async () => {
    expect(await compare([vend(1)], [grant({ notAfter: '2026-11-23T11:00:00Z' })])).toEqual([
      { kind: 'loses', subject: 'job', reason: 'nearest grant deploy: ended at 2026-11-23T11:00:00Z' },
    ])
  })

  test('says who gains, and which users', async () => {
    const open = grant({
      name: 'open',
      principal: { issuer: 'ci', anyone: true },
      users: ['migrator', 'app_ro'],
    })
    const records = [denial(1), denial(2, { principal: by({}, 'second'), user: undefined }), vend(3)]
    expect(await compare(records, [grant(), open])).toEqual([
      { kind: 'gains', subject: 'job', grant: 'open', users: ['migrator'] },
      { kind: 'gains', subject: 'second', grant: 'open', users: ['migrator', 'app_ro'] },
    ])
  })

  test('the newest record of a caller counts: who was denied since does not lose, who was granted since does not gain', async () => {
    const same = { principal: by({ team: 'ops' }) }
    expect(await compare([vend(1), denial(2, same)], [])).toEqual([])
    expect(await compare([denial(1, same), vend(2)], [grant()])).toEqual([])
    expect(await compare([denial(1, same), vend(2)], [])).toMatchObject([{ kind: 'loses' }])
  })

  test('who was granted and then waited in vain loses as well, and who was listed does not count', async () => {
    const throttled = vend(1, { decision: 'refused', code: 'throttled' })
    const listed = vend(2, { decision: 'listed', grant: undefined, principal: by({}, 'curious') })
    expect(await compare([throttled, listed], [])).toMatchObject([{ kind: 'loses', subject: 'job' }])
  })

  test('says of a claim that no grant named then that it cannot be said, never that it is missing', async () => {
    const pinned = grant({ principal: { issuer: 'ci', claims: { team: 'ops', env: 'prod' } } })
    expect(
      await compare([vend(1), denial(2, { principal: by({ team: 'ops' }, 'other') })], [pinned]),
    ).toEqual([
      ...['job', 'other'].map(subject => ({
        kind: 'unknown',
        subject,
        reason: 'nearest grant deploy: claim env is not in the record, wanted prod',
      })),
    ])
  })

  test('another record by the same configuration that has the claim shows that it was named: then it is missing', async () => {
    const pinned = grant({ principal: { issuer: 'ci', claims: { team: 'ops', env: 'prod' } } })
    const named = vend(3, { principal: by({ team: 'ops', env: 'prod' }, 'production'), instance: 'b' })
    const sameRules = [started(0, 'c1'), started(0, 'c1', 'b'), vend(1), named]
    expect(await compare(sameRules, [pinned])).toEqual([
      {
        kind: 'loses',
        subject: 'job',
        reason: 'nearest grant deploy: claim env is missing, wanted prod',
      },
    ])
    const otherRules = [started(0, 'c1'), started(0, 'c2', 'b'), vend(1), named]
    expect(await compare(otherRules, [pinned])).toMatchObject([{ kind: 'unknown', subject: 'job' }])
  })

  test('a record from before a reload that is written after it belongs to the configuration before', async () => {
    const pinned = grant({ principal: { issuer: 'ci', claims: { team: 'ops', env: 'prod' } } })
    const records = [
      started(0, 'c1'),
      started(5, 'c2'),
      vend(6, { principal: by({ team: 'ops', env: 'prod' }, 'production') }),
      vend(4),
    ]
    expect(await compare(records, [pinned])).toMatchObject([{ kind: 'unknown', subject: 'job' }])
  })

  test('of a claim or a subject that was cut, nothing is said', async () => {
    const long = { principal: by({ team: 'ops' }, 's'.repeat(600)) }
    const bySubject = grant({ principal: { issuer: 'ci', subject: 's*' } })
    expect(await compare([vend(1, long)], [bySubject])).toMatchObject([
      { kind: 'unknown', reason: 'nearest grant deploy: subject is not in the record, wanted s*' },
    ])
    const huge = vend(1, {
      principal: by({ team: Array.from({ length: 250 }, (_, i) => `team-${i}-${'x'.repeat(40)}`) }),
    })
    expect(JSON.parse(renderRecord(huge)).cut).toContain('principal.claims')
    expect(
      await compare([huge], [grant({ principal: { issuer: 'ci', claims: { team: 'x' } } })]),
    ).toMatchObject([
      { kind: 'unknown', reason: 'nearest grant deploy: claim team is not in the record, wanted x' },
    ])
  })

  test('knows sub and iss, which all JWTs have', async () => {
    const grants = [grant({ principal: { issuer: 'ci', claims: { sub: 'job', iss: CI.issuer } } })]
    expect(await compare([vend(1)], grants)).toEqual([])
  })

  test('a database that is not there any more is lost, and an issuer or a key too', async () => {
    const key = vend(2, { principal: { issuer: 'apiKey', subject: 'nightly', claims: {} } })
    expect(await compare([vend(1)], [], { databases: [] })).toMatchObject([
      { kind: 'loses', reason: 'the configuration has no database of this name' },
    ])
    expect(await compare([vend(1), key], [], { issuers: [] })).toMatchObject([
      { kind: 'loses', reason: 'the configuration has no issuer ci' },
      { kind: 'loses', reason: 'the configuration has no API key nightly' },
    ])
  })

  test('an issuer or a key may have another name by now only where a grant is for the caller by that name', async () => {
    const key = vend(2, { principal: { issuer: 'apiKey', subject: 'nightly', claims: {} } })
    const renamed = { issuers: [{ ...CI, name: 'pipelines' }], apiKeys: { report: [] } }
    const forTeam = (team: string) => grant({ principal: { issuer: 'pipelines', claims: { team } } })
    const forKey = grant({ principal: { issuer: 'apiKey', subject: 'report' } })
    expect(await compare([vend(1), key], [forTeam('ops'), forKey], renamed)).toMatchObject([
      { kind: 'unknown', reason: 'the configuration has no issuer ci, unless it is pipelines by now' },
      { kind: 'unknown', reason: 'the configuration has no API key nightly, unless it is report by now' },
    ])
    const elsewhere = { ...forKey, users: ['app_ro'] }
    expect(await compare([vend(1), key, denial(3)], [forTeam('qa'), elsewhere], renamed)).toMatchObject([
      { kind: 'loses', reason: 'the configuration has no issuer ci' },
      { kind: 'loses', reason: 'the configuration has no API key nightly' },
    ])
  })

  test('says whose grant, role or session changes', async () => {
    const moved = { ...ORDERS, roleArn: 'arn:aws:iam::123456789012:role/path/other' }
    expect(await compare([vend(1)], [grant()])).toEqual([])
    expect(await compare([vend(1)], [grant({ name: 'renamed' })])).toMatchObject([
      { kind: 'changes', grant: 'renamed', identity: undefined },
    ])
    expect(await compare([vend(1)], [grant()], { databases: [moved] })).toMatchObject([
      {
        kind: 'changes',
        grant: 'deploy',
        identity: 'arn:aws:sts::123456789012:assumed-role/other/orders.migrator',
      },
    ])
    expect(await compare([vend(1)], [grant({ session: 'per-principal' })])).toMatchObject([
      { kind: 'changes', identity: expect.stringMatching(/assumed-role\/jeton-orders\/job=/) },
    ])
  })
})

describe('gatherCallers', () => {
  test('keeps no more callers than it may, and counts the records of the others and of floods', async () => {
    const many = Array.from({ length: 5 }, (_, i) => vend(i, { principal: by({}, `job-${i % 4}`) }))
    const flood = denial(9, { principal: by({}), count: 7, database: undefined, user: undefined })
    const ofIssuer = { ...flood, principal: undefined, count: 5 }
    const anonymous = { ...flood, principal: undefined, code: 'unauthenticated', count: 3 } as const
    const records = each([...many, flood, ofIssuer, anonymous])
    const gathered = await gatherCallers(records, { maxCallers: 3 })
    expect(gathered.callers.map(({ subject, vends }) => [subject, vends])).toEqual([
      ['job-0', 2],
      ['job-1', 1],
      ['job-2', 1],
    ])
    expect(gathered).toMatchObject({ records: 5, omitted: 1, counted: 12 })
  })

  test('survives records whose members are anything at all', async () => {
    const strange = [
      { principal: 'me' },
      { principal: { issuer: 7, subject: [] } },
      { database: {}, user: 3 },
      { grant: [], cut: 'principal.claims' },
      { cut: 7, instance: {} },
      { principal: { issuer: 'ci', subject: 'x', claims: ['a'] } },
      { principal: { issuer: '__proto__', subject: 'constructor', claims: { __proto__: null } } },
    ].map(members => JSON.stringify({ ...JSON.parse(renderRecord(vend(1))), ...members }))
    const records = strange.map(line => parseRecord(line) ?? expect.fail('it is a record'))
    expect(await compare(records, [grant()])).toBeInstanceOf(Array)
  })
})
