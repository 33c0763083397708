import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDatabase, type DatabaseSpec } from '../../src/rds/check-database.ts'
import { databaseUserArn, resourceKey } from '../../src/rds/database.ts'

const SPEC: DatabaseSpec = {
  name: 'orders',
  engine: 'postgres',
  host: 'Orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  roleArn: 'arn:aws:iam::123456789012:role/team/jeton-orders',
  users: ['app_ro', 'app_rw'],
}

function made(changes: Partial<DatabaseSpec> = {}) {
  const described = checkDatabase({ ...SPEC, ...changes })
  if (!described.ok) throw new Error(JSON.stringify(described.problems))
  return described.database
}

function problems(changes: Partial<DatabaseSpec>) {
  const described = checkDatabase({ ...SPEC, ...changes })
  return described.ok ? [] : described.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('a database that fits', () => {
  test('is described whole', () => {
    expect(made({ externalId: 'ext-1', dbname: 'shop', connect: '[::1]:15432' })).toEqual({
      ...SPEC,
      host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
      port: 5432,
      kind: 'instance',
      partition: 'aws',
      region: 'us-east-1',
      account: '123456789012',
      newTokensPerSecond: 16,
      externalId: 'ext-1',
      dbname: 'shop',
      connect: { host: '::1', port: 15432 },
    })
  })

  test('has no members that are not configured, and cannot be changed', () => {
    const users = ['app_ro']
    const database = made({ users, externalId: undefined })
    users.push('postgres')
    expect(database.users).toEqual(['app_ro'])
    expect(Object.keys(database)).not.toContain('externalId')
    expect(Object.isFrozen(database) && Object.isFrozen(database.users)).toBe(true)
    expect(Object.isFrozen(made({ connect: 'db:5432' }).connect)).toBe(true)
  })

  test.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['mariadb', 3306],
  ] as const)('%s listens on %i unless told otherwise', (engine, port) => {
    expect(made({ engine }).port).toBe(port)
    expect(made({ engine, port: 6000 }).port).toBe(6000)
  })

  test('has the pace that it is given', () => {
    expect(made({ newTokensPerSecond: 3 }).newTokensPerSecond).toBe(3)
  })

  test('names its users in ARNs, and what RDS throttles by', () => {
    const china = made({
      host: 'orders.c9akciq32xyz.rds.cn-north-1.amazonaws.com.cn',
      roleArn: 'arn:aws-cn:iam::123456789012:role/jeton',
    })
    expect(databaseUserArn(china, 'app_ro')).toBe(
      'arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_ro',
    )
    expect(resourceKey(china)).toBe('123456789012/cn-north-1/db-ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  })
})

describe('the resource id fits the kind of endpoint', () => {
  const place = 'us-east-1.rds.amazonaws.com'
  test.each([
    ['orders.c9a', ['db-A1', 'cluster-A1'], ['prx-a1']],
    ['orders.cluster-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['orders.cluster-ro-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['orders.shardgrp-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['pool.proxy-c9a', ['prx-0a1b'], ['db-A1', 'cluster-A1']],
    ['pool.endpoint.proxy-c9a', ['prx-0a1b'], ['db-A1', 'cluster-A1']],
  ])('%s', (front, fitting, misfits) => {
    const host = `${front}.${place}`
    for (const resourceId of fitting) expect(problems({ host, resourceId })).toEqual([])
    for (const resourceId of misfits)
      expect(problems({ host, resourceId })).toEqual([
        expect.stringMatching(/^resourceId: does not fit the endpoint, .*: give the `(db|cluster|prx)-…`/),
      ])
    for (const resourceId of ['', 'orders', 'db-', 'db-A*', 'db-A1/x', 'db-A1\n', 'cluster-A?', 'prx-*'])
      expect(problems({ host, resourceId })).toEqual([
        expect.stringMatching(/^resourceId: is no resource id of RDS: give the `(db|cluster|prx)-…`/),
      ])
  })
})

describe('the role', () => {
  test.each([
    ['arn:aws:iam::123456789012:role/jeton', 'aws'],
    ['arn:aws:iam::123456789012:role/a/b/jet+on=,.@-_', 'aws'],
  ])('%s is taken', roleArn => {
    expect(problems({ roleArn })).toEqual([])
  })

  test.each([
    ['', /not the ARN of an IAM role/],
    ['jeton', /not the ARN of an IAM role/],
    ['arn:aws:iam::12345678901:role/jeton', /12 digits/],
    ['arn:aws:iam::123456789012:user/jeton', /not the ARN of an IAM role/],
    ['arn:aws:iam::123456789012:role/', /not the ARN of an IAM role/],
    ['arn:aws:iam::123456789012:role/jeton\n', /not the ARN of an IAM role/],
    ['arn:aws:sts::123456789012:assumed-role/jeton/session', /ARN of a role session/],
    ['arn:aws:iam::123456789012:role/*/jeton', /would widen a policy/],
    ['arn:aws:iam::123456789012:role/$' + '{aws:username}/jeton', /would widen a policy/],
    ['arn:aws-mars:iam::123456789012:role/jeton', /no partition of AWS/],
    ['arn:aws-cn:iam::123456789012:role/jeton', /is of partition aws-cn, the endpoint of aws:/],
  ])('%j is refused', (roleArn, message) => {
    expect(problems({ roleArn })).toEqual([expect.stringMatching(message)])
  })
})

describe('users', () => {
  test.each(['*', 'app_*', 'app?', '$' + '{aws:username}', 'a$b'])('%s would widen the policy', user => {
    expect(problems({ users: ['app_ro', user] })).toEqual([
      expect.stringMatching(/^users\[1\]: .*widen the policy/),
    ])
  })

  test.each([
    ['', 'is empty'],
    ['a\nb', 'control characters'],
    ['a\u0000', 'control characters'],
    ['a\u0085', 'control characters'],
    ['użytkownik', 'beyond U+00FF'],
    ['a\ud800', 'beyond U+00FF'],
    ['app_ro', 'named twice'],
  ])('%j is refused', (user, message) => {
    expect(problems({ users: ['app_ro', user] })).toEqual([expect.stringContaining(message)])
  })

  test('there is one at least', () => {
    expect(problems({ users: [] })).toEqual([expect.stringMatching(/^users: is empty/)])
  })

  test.each([
    ['postgres', 63],
    ['mysql', 32],
    ['mariadb', 80],
  ] as const)('%s has names of %i at most', (engine, max) => {
    expect(problems({ engine, users: ['a'.repeat(max)] })).toEqual([])
    expect(problems({ engine, users: ['a'.repeat(max + 1)] })).toEqual([
      expect.stringContaining(`the ${max} `),
    ])
  })

  test('PostgreSQL counts bytes: it would cut the name and take another account', () => {
    expect(problems({ users: ['é'.repeat(32)] })).toEqual([expect.stringContaining('63 bytes')])
    expect(problems({ engine: 'mysql', users: ['é'.repeat(32)] })).toEqual([])
  })
})

describe('the rest', () => {
  test.each([0, 443, 1149, 65_536, 5432.5, Number.NaN])('port %d is not one of RDS', port => {
    expect(problems({ port })).toEqual([expect.stringMatching(/^port: .*1150 to 65535/)])
  })

  test.each([1150, 65_535])('port %i is', port => {
    expect(problems({ port })).toEqual([])
  })

  test.each(['x', 'with space', 'a'.repeat(1225), 'new\nline'])('external id %j', externalId => {
    expect(problems({ externalId })).toEqual([expect.stringMatching(/^externalId: /)])
  })

  test.each(['', 'a\u0000b'])('dbname %j', dbname => {
    expect(problems({ dbname })).toEqual([expect.stringMatching(/^dbname: /)])
  })

  test('connect', () => {
    expect(problems({ connect: 'nowhere' })).toEqual([expect.stringMatching(/^connect: is not host:port/)])
  })

  test('every problem is reported at once', () => {
    const described = checkDatabase({
      ...SPEC,
      host: 'db.example.com',
      port: 80,
      resourceId: 'orders',
      roleArn: 'jeton',
      users: ['', '*'],
      externalId: '',
      dbname: '',
      connect: '',
    })
    expect(described.ok ? [] : described.problems.map(problem => problem.path)).toEqual([
      'host',
      'port',
      'resourceId',
      'roleArn',
      'users[0]',
      'users[1]',
      'externalId',
      'dbname',
      'connect',
    ])
  })

  test('no user that is accepted means more than itself in a policy', () => {
    const unit = fc.constantFrom('a', 'Z', '_', '/', ':', '*', '?', '$', '{', '}', '\n', '\0', ' ', 'é', 'ż')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), user => {
        const described = checkDatabase({ ...SPEC, users: [user] })
        if (described.ok) expect(databaseUserArn(described.database, user)).toMatch(/^[^*?$\p{Cc}]+$/u)
        else expect(user === '' || /[*?$\n\0ż]/.test(user)).toBe(true)
      }),
    )
  })
})
