import { describe, expect, test } from 'vitest'
import { problemsOf, sound, withDatabases, withOrders } from '../support.ts'

const HOST = 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'

describe('checkDatabases', () => {
  test("says what to do with a name that is not RDS's own", async () => {
    expect(await problemsOf(withOrders({ host: 'db.example.com' }))).toEqual([
      expect.stringMatching(/^databases\.orders\.host: is not the name of an RDS endpoint.*`connect`/),
    ])
  })

  test('reports every problem of a database with its path', async () => {
    const broken = {
      engine: 'mysql',
      host: HOST.replace('us-east-1', 'cn-north-1'),
      port: 80,
      resourceId: 'arn:aws-cn:rds',
      roleArn: 'arn:aws-cn:iam::123456789012:role/*',
      users: ['migrator', 'app$'],
      connect: 'tunnel',
      externalId: 'é',
    }
    const problems = await problemsOf(withOrders(broken))
    expect(problems.map(problem => problem.split(':')[0])).toEqual([
      'databases.orders.host',
      'databases.orders.port',
      'databases.orders.resourceId',
      'databases.orders.roleArn',
      'databases.orders.users[1]',
      'databases.orders.externalId',
      'databases.orders.connect',
    ])
  })

  test('rejects different limits of one resource, the default included', async () => {
    const { orders } = sound().databases
    const slow = { ...orders, port: 5433, limits: { newTokensPerSecond: 5 } }
    expect(await problemsOf(withDatabases({ slow }))).toEqual([
      'databases.slow.limits.newTokensPerSecond: is 5 here and 16 in databases.orders, which has the same resourceId and so shares this limit: use the same value in both',
    ])
    const elsewhere = { ...slow, host: HOST.replace('us-east-1', 'eu-west-1') }
    const same = { ...orders, limits: { newTokensPerSecond: 16 } }
    expect(await problemsOf(withDatabases({ elsewhere, same }))).toEqual([])
  })

  test.each([
    [{ resourceId: 'db-ZZZ' }, 'resourceId: has the resource id db-ZZZ, but databases.orders has db-ABC'],
    [{ engine: 'mysql' }, 'engine: has the engine mysql, but databases.orders has postgres'],
    [
      { roleArn: 'arn:aws:iam::999999999999:role/jeton' },
      'roleArn: has the account 999999999999, but databases.orders has 123456789012',
    ],
  ])('rejects two databases with one endpoint and different facts, %j', async (members, message) => {
    const twin = { ...sound().databases.orders, host: HOST.toUpperCase(), ...members }
    expect(await problemsOf(withDatabases({ twin }))).toEqual([
      expect.stringMatching(`^databases\\.twin\\.${message}.* for the same host: one of the two is wrong$`),
    ])
    const role = { roleArn: 'arn:aws:iam::123456789012:role/other', port: 5433, dbname: 'other' }
    expect(await problemsOf(withDatabases({ twin: { ...sound().databases.orders, ...role } }))).toEqual([])
  })
})
