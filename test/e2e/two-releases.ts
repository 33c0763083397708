import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startKms } from '../support/aws/kms.ts'
import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { type Fleet, roleOf, startFleet, storeWith, USERS } from '../support/service/fleet.ts'
import { countAssumeRoleCalls, requestUntilServed } from '../support/service/fleet-observations.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment } from '../support/service/test-environment.ts'

/**
 * `npm run two-releases -- OTHER/dist/cli.mjs`: shows that this build and another release share a table, a data key, an audit
 * file and an audit table. Not part of `npm test`, which has only this build; there, golden files pin the formats.
 */
const [, , other = ''] = process.argv
const CLIS = { other, this: undefined } as const
const AUDIT_TABLE = 'jeton-audit'

const report = (what: string) => console.log(`ok  ${what}`)

async function startBoth(fleet: Fleet): Promise<{ theirs: Jeton; ours: Jeton }> {
  const [theirs, ours] = await Promise.all([fleet.startInstance({ cli: other }), fleet.startInstance()])
  return { theirs, ours }
}

/** In both directions: what one release writes, the other must read. */
async function shareTokens(fleet: Fleet, { theirs, ours }: { theirs: Jeton; ours: Jeton }): Promise<void> {
  const [first, second] = USERS
  for (const [writer, reader, user] of [
    [theirs, ours, first],
    [ours, theirs, second],
  ] as const) {
    const { body } = await fleet.requestToken(writer, 'orders', { user })
    equal(body.cached, false)
    const read = async () => (await fleet.requestToken(reader, 'orders', { user })).body
    deepEqual([(await read()).fingerprint, (await read()).cached], [body.fingerprint, true])
  }
  report('each reads the token that the other minted')
}

async function shareSlots(fleet: Fleet, instances: readonly Jeton[]): Promise<void> {
  const callers = Array.from({ length: 24 }, (_, i) =>
    requestUntilServed(() =>
      fleet.requestToken(instances[i % instances.length] as Jeton, 'slow', { subject: `caller-${i}` }),
    ),
  )
  const times = (await Promise.all(callers)).map(({ at }) => at).sort((a, b) => a - b)
  const busiest = Math.max(...times.map(from => times.filter(at => at >= from && at < from + 1000).length))
  // 4 a second over both, and one more because replies can be late.
  ok(busiest <= 5, `${busiest} new tokens within a second`)
  report(`both together deliver 24 new tokens at 4 a second: ${busiest} in the busiest second`)
}

async function shareRoleFailures(
  fleet: Fleet,
  [first, second]: readonly [Jeton, Jeton],
  name = 'broken',
): Promise<void> {
  fleet.environment.sts.faults.deniedRoles.add(roleOf(name))
  // Twice, so that the backoff is longer than the other instance takes to read the failure.
  await Promise.all([fleet.requestToken(first, name), pause(1300)])
  equal((await fleet.requestToken(first, name)).status, 502)
  const before = countAssumeRoleCalls(fleet, name)
  const { status, body } = await fleet.requestToken(second, name)
  deepEqual([status, body.code, countAssumeRoleCalls(fleet, name)], [502, 'role_refused', before])
}

async function shareStore(): Promise<void> {
  const fleet = await startFleet({
    databases: {
      orders: {},
      slow: { session: 'per-principal', newTokensPerSecond: 4 },
      broken: {},
      worse: {},
    },
    config: { audit: [{ type: 'dynamodb', table: AUDIT_TABLE }] },
  })
  try {
    const { theirs, ours } = await startBoth(fleet)
    await shareTokens(fleet, { theirs, ours })
    await shareSlots(fleet, [theirs, ours])
    await shareRoleFailures(fleet, [theirs, ours])
    report('this release backs off from a role that failed at the other')
    await shareRoleFailures(fleet, [ours, theirs], 'worse')
    report('the other release backs off from a role that failed at this one')
    await queryBoth(fleet, ours)
  } finally {
    await fleet.close()
  }
}

async function queryBoth(fleet: Fleet, { configFile }: Jeton): Promise<void> {
  const env = { ...fleet.dynamodb.environment(), ...fleet.environment.serverEnv }
  const query = ['audit', 'query', '--config', configFile, '--limit', '0', '-o', 'json']
  const [byOther, byThis] = await Promise.all(Object.values(CLIS).map(cli => runCli(query, { env, cli })))
  deepEqual([byOther?.code, byThis?.code], [0, 0])
  ok(byOther?.stdout === byThis?.stdout, 'the two releases find different records')
  const lines = byThis?.stdout.trim().split('\n').length
  report(`both find the same ${lines} records in the audit table, to the byte`)
}

async function shareDataKey(): Promise<void> {
  const kms = await startKms()
  const store = storeWith({ kmsKeyId: 'alias/jeton' })
  const fleet = await startFleet({ databases: { orders: {} }, config: { store }, env: kms.environment() })
  try {
    await shareTokens(fleet, await startBoth(fleet))
    equal((await fleet.storedItems('data-key/')).length, 1)
    report('both use one data key of KMS')
  } finally {
    await fleet.close()
    await kms.close()
  }
}

async function shareAuditFile(): Promise<void> {
  const environment = await startTestEnvironment()
  const path = join(environment.folder, 'audit.jsonl')
  const config = environment.config({ audit: [{ type: 'file', path }] })
  try {
    for (const cli of [CLIS.other, CLIS.this, CLIS.other, CLIS.this]) {
      const jeton = await startJeton({ config, env: environment.serverEnv, folder: environment.folder, cli })
      const jwt = await environment.issuer.sign(CLAIMS)
      equal((await jeton.requestToken(`Bearer ${jwt}`, { database: 'orders' })).status, 200)
      equal((await jeton.requestToken(`Bearer ${jwt}`, { database: 'payroll' })).status, 403)
      await jeton.close()
    }
    const last = (await readFile(`${path}.head`, 'utf8')).trim()
    for (const cli of Object.values(CLIS)) {
      const { code, stdout } = await runCli(['audit', 'verify', path, '--expect-last', last], { cli })
      // 8 decisions, and what each release records of its starts and stops
      ok(code === 0 && /^ok: \d+ records, last /.test(stdout) && stdout.endsWith(`${last}\n`), stdout)
    }
    report('both append to one hash chain of 8 decisions in turn, and both verify it')
  } finally {
    await environment.close()
  }
}

if (other === '')
  throw new Error('give the CLI of another release: npm run two-releases -- OTHER/dist/cli.mjs')
const removeTempFolder = await useOwnTempFolder()
await shareStore()
await shareDataKey()
await shareAuditFile()
await removeTempFolder()
