import { expect, test } from 'vitest'
import { roleChecks } from '../../../src/cli/live/roles.ts'
import type { AssumeRole } from '../../../src/tokens/role-session/assume-role.ts'
import { ORDERS } from '../../support/databases/orders.ts'

const database = {
  ...ORDERS,
  name: 'orders',
  engine: 'postgres',
  kind: 'instance',
  partition: 'aws',
  account: '123456789012',
  newTokensPerSecond: 16,
} as const
const grants = [
  { name: 'deploy', principal: { issuer: 'ci', subject: 'a' }, database: 'orders', users: ['migrator'] },
]

const assumedAs =
  (identity: string): AssumeRole =>
  async () => ({ accessKeyId: 'A', secretAccessKey: 'b', sessionToken: 'c', expiresAt: 0, identity })

test('a role is fine only if STS answers with its own session, account and partition', async () => {
  const run = async (identity: string) =>
    roleChecks({ databases: [database], grants }, assumedAs(identity))[0]?.run()
  const session = ':assumed-role/jeton-orders/orders.migrator'
  expect(await run(`arn:aws:sts::123456789012${session}`)).toEqual({
    result: 'ok',
    detail: 'assumed as orders.migrator',
  })
  for (const other of [`arn:aws:sts::999999999999${session}`, `arn:aws-cn:sts::123456789012${session}`])
    expect(await run(other)).toMatchObject({ result: 'failed', detail: expect.stringContaining(other) })
})

test('the users and session names of grants come first: a trust policy may know no others', async () => {
  const names: string[] = []
  const assume: AssumeRole = async key => {
    names.push(`${key.database.name} ${key.user} ${key.sessionName}`)
    throw new Error('not now')
  }
  const perPrincipal = grants.map(grant => ({ ...grant, session: 'per-principal' as const }))
  for (const some of [grants, perPrincipal, [...perPrincipal, ...grants], []])
    for (const { run } of roleChecks({ databases: [database], grants: some }, assume))
      await run().catch(() => {})
  expect(names).toEqual([
    'orders migrator orders.migrator',
    expect.stringMatching(/^orders migrator jeton-check=[0-9a-f]{32}$/),
    'orders migrator orders.migrator',
    `orders ${ORDERS.users[0]} orders.${ORDERS.users[0]}`,
  ])
})
