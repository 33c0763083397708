import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ParsedRecord, parseRecord } from '../../src/audit/parsed-record.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import type { Claim, Principal } from '../../src/authentication/principal.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { AccessRequest, GrantSpec, Scalar } from '../../src/authorization/grant.ts'
import { compareAccess } from '../../src/vending/comparison/compare-access.ts'
import { gatherCallers } from '../../src/vending/comparison/recorded-callers.ts'
import { createPrincipalAccess, type PrincipalAccess } from '../../src/vending/principal-access.ts'
import { NOON, recordAt } from '../audit/support.ts'
import { ORDERS } from '../support/databases/orders.ts'

const CI = { name: 'ci', issuer: 'https://ci.example', audience: 'jeton' }
const DATABASES = [ORDERS, { ...ORDERS, name: 'billing' }]
const RULES = ['c1', 'c2']
const SUBJECT = 'job'

/** So few of each that many of them meet. */
const name = fc.constantFrom('a', 'a', 'b', '__proto__')
const user = fc.constantFrom('app_ro', 'migrator')
const databaseName = fc.constantFrom('orders', 'orders', 'orders', 'billing')
const moment = fc.constantFrom('2026-11-23T11:00:00Z', '2026-11-23T12:00:00Z', '2026-11-23T13:00:00Z')
const nothing = fc.constant(undefined)
const times = fc.record({ notBefore: moment, notAfter: moment }, { requiredKeys: [] })
const some = <T>(value: fc.Arbitrary<T>, min = 0) =>
  fc
    .array(fc.tuple(name, value), { minLength: min, maxLength: 2 })
    .map((entries): Record<string, T> => Object.fromEntries(entries))
const scalar = fc.constantFrom<Claim[]>('x', 'x', 'x', 'x/y', '1', 1, true, null, 2 ** 60, '\ud83d')
const object = some(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })))
const claim = fc.oneof(scalar, object, fc.array(fc.oneof(scalar, object), { maxLength: 3 }))
const wantedText = fc.constantFrom<Scalar[]>('x', 'x', 'x*', 'x*', 'x/**', '*', '1', 1, true, '\ud83d*')
const wanted = fc.oneof(wantedText, fc.array(wantedText, { minLength: 1, maxLength: 2 }))
const byClaims = fc.record({ issuer: fc.constant('ci'), claims: some(fc.oneof(wanted, some(wanted, 1)), 1) })
const principalSpec = fc.oneof(
  { weight: 8, arbitrary: byClaims },
  fc.constant({ issuer: 'ci', anyone: true }),
  fc.record({ issuer: fc.constant('ci'), subject: fc.constantFrom(`${SUBJECT}*`, `${SUBJECT}0`) }),
  fc.record({
    issuer: fc.constant('ci'),
    claims: fc.record({ sub: wantedText, iss: fc.constant('https://*') }),
  }),
)
const grant = fc
  .record({
    ...{ principal: principalSpec, database: databaseName, users: fc.uniqueArray(user, { minLength: 1 }) },
    session: fc.constantFrom('shared' as const, 'per-principal' as const),
    times: fc.oneof({ weight: 3, arbitrary: nothing }, times),
  })
  .map(({ times, ...spec }) => ({ ...spec, ...times }))
const grants = fc
  .array(grant, { maxLength: 4 })
  .map(specs => specs.map((spec, i): GrantSpec => ({ name: `g${i}`, ...spec })))
const request = fc.record({
  claims: some(claim, 1),
  asked: fc.record({ database: databaseName, user: fc.oneof(user, nothing) }),
  rules: fc.constantFrom(0, 1),
})

/** By the code that vends, at noon. */
function accessBy(specs: readonly GrantSpec[], principal: Principal): PrincipalAccess {
  const database = (wantedName: string) => DATABASES.find(each => each.name === wantedName) ?? ORDERS
  const clock = { now: () => NOON }
  return createPrincipalAccess(principal, { grants: compileGrants(specs), clock, database })
}

/** Returns the record that a request leaves; undefined if it has to name a user, which tells nothing. */
function recordOf(
  access: PrincipalAccess,
  { asked, more }: { asked: AccessRequest; more: Partial<AuditRecord> },
): AuditRecord | undefined {
  const decision = access.decide(asked)
  if (decision.kind === 'user-required') return undefined
  const common = { ...more, ...asked, principal: access.auditedPrincipal }
  if (decision.kind === 'denied')
    return recordAt(NOON, { ...common, decision: 'refused', code: 'access_denied' })
  return recordAt(NOON, { ...common, user: decision.user, grant: decision.grant.name })
}

function started(i: number): string {
  return JSON.stringify({
    ...{ type: 'jeton.audit.started', v: 1, id: `s${i}`, time: new Date(NOON - 1).toISOString() },
    ...{ instance: `${i}`, configuration: { sha256: RULES[i] } },
  })
}

async function* each(lines: readonly string[]): AsyncGenerator<ParsedRecord> {
  for (const line of lines) yield parseRecord(line) ?? expect.fail('it is a record')
}

test('whatever two configurations granted, a third is said to take or give what it does, or the record lacks a claim', async () => {
  const seen = { loses: 0, gains: 0, changes: 0, unknown: 0, same: 0 }
  const before = fc.tuple(grants, grants)
  const requests = fc.array(request, { minLength: 4, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(before, grants, requests, async (old, added, all) => {
      const after = [...(old[0] ?? []).slice(1), ...added].map((spec, i) => ({ ...spec, name: `g${i}` }))
      const callers = all.map(({ claims, asked, rules }, i) => {
        const subject = `${SUBJECT}${i}`
        const principal = { issuer: 'ci', subject, claims: { ...claims, sub: subject, iss: CI.issuer } }
        const more = { instance: `${rules}` }
        return { principal, record: recordOf(accessBy(old[rules] ?? [], principal), { asked, more }) }
      })
      const lines = callers.flatMap(({ record }) => (record ? renderRecord(record) : []))
      const log = each([...RULES.map((_, i) => started(i)), ...lines])
      const config = { issuers: [CI], apiKeys: {}, databases: DATABASES, grants: after }
      const { changed } = compareAccess(await gatherCallers(log), { config, now: NOON })
      for (const { principal, record } of callers) {
        if (!record) continue
        const { database = '', user: wantedUser, decision } = record
        const truth = accessBy(after, principal).decide({ database, user: wantedUser })
        const change = changed.find(({ caller }) => caller.subject === principal.subject)?.change
        seen[change?.kind ?? 'same']++
        if (change?.kind === 'unknown') {
          expect(change.reason).toMatch(/ is not in the record, wanted /)
          continue
        }
        expect(change?.kind === 'loses').toBe(decision === 'vended' && truth.kind === 'denied')
        expect(change?.kind === 'gains').toBe(decision === 'refused' && truth.kind !== 'denied')
        if (change?.kind === 'changes' && truth.kind === 'granted')
          expect(change.grant).toBe(truth.grant.name)
      }
    }),
    { numRuns: 400 },
  )
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10)
})
