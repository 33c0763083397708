import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { policiesIn } from '../../src/iam/lint/documents.ts'
import { lintStatements } from '../../src/iam/lint/lint.ts'
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

function checkedDatabase(changes: Partial<DatabaseSpec> = {}) {
  const checked = checkDatabase({ ...SPEC, ...changes })
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  return checked.database
}

function lintedResourceId(resourceId: string) {
  const text = `arn:aws:rds-db:us-east-1:123456789012:dbuser:${resourceId}/app_ro`
  const Statement = [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: text }]
  const [policy] = policiesIn({ Version: '2012-10-17', Statement })
  return lintStatements(policy?.statements ?? [])
}

function problemsOf(changes: Partial<DatabaseSpec>) {
  const checked = checkDatabase({ ...SPEC, ...changes })
  return checked.ok ? [] : checked.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('checkDatabase', () => {
  test('returns every fact of a database', () => {
    expect(checkedDatabase({ externalId: 'ext-1', dbname: 'shop', connect: '[::1]:15432' })).toEqual({
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

  test('returns a frozen database, without members that are not configured', () => {
    const users = ['app_ro']
    const database = checkedDatabase({ users, externalId: undefined })
    users.push('postgres')
    expect(database.users).toEqual(['app_ro'])
    expect(Object.keys(database)).not.toContain('externalId')
    expect(Object.isFrozen(database) && Object.isFrozen(database.users)).toBe(true)
    expect(Object.isFrozen(checkedDatabase({ connect: 'db:5432' }).connect)).toBe(true)
  })

  test.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['mariadb', 3306],
  ] as const)('%s has port %i by default', (engine, port) => {
    expect(checkedDatabase({ engine }).port).toBe(port)
    expect(checkedDatabase({ engine, port: 6000 }).port).toBe(6000)
  })

  test('keeps the configured rate of new tokens', () => {
    expect(checkedDatabase({ newTokensPerSecond: 3 }).newTokensPerSecond).toBe(3)
  })

  test('returns facts for the ARN of a user and the key that RDS throttles by', () => {
    const china = checkedDatabase({
      host: 'orders.c9akciq32xyz.rds.cn-north-1.amazonaws.com.cn',
      roleArn: 'arn:aws-cn:iam::123456789012:role/jeton',
    })
    expect(databaseUserArn(china, 'app_ro')).toBe(
      'arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_ro',
    )
    expect(resourceKey(china)).toBe('123456789012/cn-north-1/db-ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  })
})

describe('checkDatabase on the resource id', () => {
  const suffix = 'us-east-1.rds.amazonaws.com'
  test.each([
    ['orders.c9a', ['db-A1', 'cluster-A1'], ['prx-a1']],
    ['orders.cluster-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['orders.cluster-ro-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['orders.shardgrp-c9a', ['cluster-A1'], ['db-A1', 'prx-a1']],
    ['pool.proxy-c9a', ['prx-0a1b'], ['db-A1', 'cluster-A1']],
    ['pool.endpoint.proxy-c9a', ['prx-0a1b'], ['db-A1', 'cluster-A1']],
  ])('accepts only an id that fits %s', (front, fitting, misfits) => {
    const host = `${front}.${suffix}`
    for (const resourceId of fitting) expect(problemsOf({ host, resourceId })).toEqual([])
    for (const resourceId of misfits)
      expect(problemsOf({ host, resourceId })).toEqual([
        expect.stringMatching(/^resourceId: does not fit the endpoint, .*: use the `(db|cluster|prx)-…`/),
      ])
    for (const resourceId of ['', 'orders', 'db-', 'db-A*', 'db-A1/x', 'db-A1\n', 'cluster-A?', 'prx-*'])
      expect(problemsOf({ host, resourceId })).toEqual([
        expect.stringMatching(
          /^resourceId: is not an RDS resource id, but perhaps a name: use the `(db|cluster|prx)-…`/,
        ),
      ])
  })
})

describe('checkDatabase on the case of the resource id', () => {
  test.each([
    ['db-abcdefghijkl', 'has lower-case letters', 'db-ABCDEFGHIJKL'],
    ['cluster-aBC', 'has lower-case letters', 'cluster-ABC'],
    ['DB-ABC', 'does not begin with db- in lower case', 'db-ABC'],
    ['PRX-0a1b', 'does not begin with prx- in lower case', 'prx-0a1b'],
  ])('says of %s what is meant, as lint-policy does of a policy', (resourceId, fault, meant) => {
    const message = expect.stringMatching(
      new RegExp(`^resourceId: ${fault}.*IAM compares the case: did you mean ${meant}\\?$`),
    )
    expect(problemsOf({ resourceId })).toEqual([message])
    const [finding] = lintedResourceId(resourceId)
    expect(finding?.severity).toBe('error')
    expect(finding?.message).toMatch(new RegExp(`^${resourceId} ${fault}.*did you mean ${meant}\\?$`))
  })

  test('has no id that lint-policy calls an error', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^(db|cluster|prx|DB|Prx)-[A-Za-z0-9]{1,6}$/),
        fc.constantFrom('orders.c9a', 'orders.cluster-c9a', 'pool.proxy-c9a'),
        (resourceId, front) => {
          const problems = problemsOf({ resourceId, host: `${front}.us-east-1.rds.amazonaws.com` })
          if (problems.length === 0) expect(lintedResourceId(resourceId)).toEqual([])
        },
      ),
    )
  })
})

describe('checkDatabase on the role', () => {
  test.each([
    ['arn:aws:iam::123456789012:role/jeton', 'aws'],
    ['arn:aws:iam::123456789012:role/a/b/jet+on=,.@-_', 'aws'],
  ])('accepts %s', roleArn => {
    expect(problemsOf({ roleArn })).toEqual([])
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
    [
      'arn:aws:iam::123456789012:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS',
      /linked to one of its services, which jeton cannot assume/,
    ],
    [
      'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b',
      /Identity Center manages/,
    ],
    ['arn:aws-mars:iam::123456789012:role/jeton', /unknown AWS partition/],
    ['arn:aws-cn:iam::123456789012:role/jeton', /is in partition aws-cn, but the endpoint is in aws:/],
  ])('rejects %j', (roleArn, message) => {
    expect(problemsOf({ roleArn })).toEqual([expect.stringMatching(message)])
  })
})

describe('checkDatabase on users', () => {
  test.each(['*', 'app_*', 'app?', '$' + '{aws:username}', 'a$b'])(
    'rejects %s, which would widen the policy',
    user => {
      expect(problemsOf({ users: ['app_ro', user] })).toEqual([
        expect.stringMatching(/^users\[1\]: .*widen the policy/),
      ])
    },
  )

  test.each([
    ['', 'is empty'],
    ['a\nb', 'control characters'],
    ['a\u0000', 'control characters'],
    ['a\u0085', 'control characters'],
    ['użytkownik', 'beyond U+00FF'],
    ['a\ud800', 'beyond U+00FF'],
    ['app_ro', 'listed twice'],
  ])('rejects %j', (user, message) => {
    expect(problemsOf({ users: ['app_ro', user] })).toEqual([expect.stringContaining(message)])
  })

  test('rejects an empty list', () => {
    expect(problemsOf({ users: [] })).toEqual([expect.stringMatching(/^users: is empty/)])
  })

  test.each([
    ['postgres', 'rdsadmin', 'belongs to RDS itself'],
    ['postgres', 'rds_iam', 'belongs to RDS itself'],
    ['mysql', 'rdsadmin', 'belongs to RDS itself'],
    ['mariadb', 'rdsrepladmin', 'belongs to RDS itself'],
    ['postgres', 'pg_monitor', 'a name that postgres keeps for itself'],
    ['postgres', 'public', 'a name that postgres keeps for itself'],
    ['mysql', 'mysql.sys', 'a name that mysql keeps for itself'],
    ['postgres', ' app', 'begins or ends with a space'],
  ] as const)('of %s rejects %j, which nobody can log in to', (engine, user, message) => {
    expect(problemsOf({ engine, users: ['app_ro', user] })).toEqual([
      expect.stringMatching(new RegExp(`^users\\[1\\]: .*${message}`)),
    ])
  })

  test('accepts what another engine keeps for itself', () => {
    expect(problemsOf({ engine: 'mysql', users: ['pg_monitor', 'public', 'rdsapp'] })).toEqual([])
    expect(problemsOf({ users: ['mysql.sys'] })).toEqual([])
  })

  test.each([
    ['postgres', 63],
    ['mysql', 32],
    ['mariadb', 80],
  ] as const)('allows names of %s up to %i', (engine, max) => {
    expect(problemsOf({ engine, users: ['a'.repeat(max)] })).toEqual([])
    expect(problemsOf({ engine, users: ['a'.repeat(max + 1)] })).toEqual([
      expect.stringContaining(`the ${max} `),
    ])
  })

  test('counts bytes for PostgreSQL, which would truncate the name and use another account', () => {
    expect(problemsOf({ users: ['é'.repeat(32)] })).toEqual([expect.stringContaining('63 bytes')])
    expect(problemsOf({ engine: 'mysql', users: ['é'.repeat(32)] })).toEqual([])
  })
})

describe('checkDatabase on other members', () => {
  test.each([0, 443, 1149, 65_536, 5432.5, Number.NaN])('rejects port %d', port => {
    expect(problemsOf({ port })).toEqual([expect.stringMatching(/^port: .*1150 to 65535/)])
  })

  test.each([1150, 65_535])('accepts port %i', port => {
    expect(problemsOf({ port })).toEqual([])
  })

  test.each(['x', 'with space', 'a'.repeat(1225), 'new\nline'])('rejects the external id %j', externalId => {
    expect(problemsOf({ externalId })).toEqual([expect.stringMatching(/^externalId: /)])
  })

  test.each(['', 'a\u0000b'])('rejects the dbname %j', dbname => {
    expect(problemsOf({ dbname })).toEqual([expect.stringMatching(/^dbname: /)])
  })

  test.each([
    ['postgres', 'a'.repeat(64), 'is longer than the 63 bytes'],
    ['mysql', 'a'.repeat(65), 'is longer than the 64 characters'],
    ['postgres', 'postgresql://db/orders', 'is a connection string'],
    ['postgres', 'host=db', 'is a connection string'],
    ['postgres', 'rdsadmin', 'belongs to RDS itself'],
    ['postgres', 'template0', 'accepts no connections'],
  ] as const)('of %s rejects the dbname %s', (engine, dbname, message) => {
    expect(problemsOf({ engine, dbname })).toEqual([expect.stringMatching(`^dbname: .*${message}`)])
  })

  test('rejects a connect without a port', () => {
    expect(problemsOf({ connect: 'nowhere' })).toEqual([expect.stringMatching(/^connect: is not host:port/)])
  })

  test('reports every problem at once', () => {
    const checked = checkDatabase({
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
    expect(checked.ok ? [] : checked.problems.map(({ path }) => path)).toEqual([
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

  test('accepts no user that means more than itself in a policy', () => {
    const unit = fc.constantFrom('a', 'Z', '_', '/', ':', '*', '?', '$', '{', '}', '\n', '\0', ' ', 'é', 'ż')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), user => {
        const checked = checkDatabase({ ...SPEC, users: [user] })
        if (checked.ok) expect(databaseUserArn(checked.database, user)).toMatch(/^[^*?$\p{Cc}]+$/u)
        else expect(user === '' || /[*?$\n\0ż]|^ | $/.test(user)).toBe(true)
      }),
    )
  })
})
