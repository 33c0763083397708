import { describe, expect, test } from 'vitest'
import { briefly, lint, policy, USER } from './support.ts'

const findingsIn = (value: unknown) => briefly(lint(value))
const at = 'Statement.0.Resource'

test('a policy that names one user of one resource id has no findings', () => {
  expect(lint(policy())).toEqual([])
  for (const id of ['cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'prx-0a1b2c3d4e5f6a7b8'])
    expect(lint(policy({ Resource: USER.replace(/db-[A-Z]+/, id) }))).toEqual([])
  for (const [partition, region] of [
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
  ])
    expect(
      lint(policy({ Resource: USER.replace('aws:', `${partition}:`).replace('us-east-1', String(region)) })),
    ).toEqual([])
})

describe('condition keys that no login has', () => {
  const keys = [
    'aws:Referer',
    'aws:SourceIp',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:UserAgent',
    'aws:VpcSourceIp',
  ]

  test.each(keys)('%s is found in any case', key => {
    for (const written of [key, key.toLowerCase(), key.toUpperCase()]) {
      const condition = { StringEquals: { [written]: 'x' } }
      expect(findingsIn(policy({ Condition: condition }))).toEqual([
        `error condition-key Statement.0.Condition.StringEquals.${written}`,
      ])
    }
  })

  test.each([
    ['Allow', 'IpAddress', '10.0.0.0/8', 'never holds, so the statement allows no login'],
    ['Allow', 'ForAnyValue:StringNotLike', 'x', 'never holds, so the statement allows no login'],
    ['Allow', 'Null', 'false', 'never holds, so the statement allows no login'],
    ['Allow', 'IpAddressIfExists', '10.0.0.0/8', 'always holds and keeps nobody out'],
    ['Allow', 'NotIpAddress', '10.0.0.0/8', 'always holds and keeps nobody out'],
    ['Allow', 'ForAllValues:StringLike', 'x', 'always holds and keeps nobody out'],
    ['Allow', 'Null', 'true', 'always holds and keeps nobody out'],
    ['Deny', 'IpAddress', '10.0.0.0/8', 'never holds, so the statement denies no login'],
    ['Deny', 'NotIpAddress', '10.0.0.0/8', 'always holds, so the statement denies logins from everywhere'],
  ])('%s with %s (%s): %s', (Effect, operator, value, consequence) => {
    const [finding, more] = lint(policy({ Effect, Condition: { [operator]: { 'aws:SourceIp': [value] } } }))
    expect(more).toBeUndefined()
    expect(finding).toMatchObject({ severity: 'error', rule: 'condition-key' })
    expect(finding?.message).toContain(consequence)
  })

  test.each(['rds-db:*', 'rds-d*', 'RDS-DB:Connect', 'rds-db:conn??t', '*', '*:*'])(
    'count if the action is %s',
    Action => {
      const statement = {
        Effect: 'Deny',
        Action,
        Resource: '*',
        Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.1' } },
      }
      expect(findingsIn(policy(statement))).toEqual([
        'error condition-key Statement.0.Condition.IpAddress.aws:SourceIp',
      ])
    },
  )

  test('count if NotAction leaves the action in, but not if it takes it out', () => {
    const Condition = { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }
    const denying = (NotAction: string[]) => {
      const statement = { Effect: 'Deny', NotAction, Resource: '*', Condition }
      return findingsIn({ Version: '2012-10-17', Statement: statement })
    }
    expect(denying(['iam:*'])).toEqual(['error condition-key Statement.Condition.NotIpAddress.aws:SourceIp'])
    expect(denying(['iam:*', 'rds-db:*'])).toEqual([])
  })

  test('do not matter to other actions, and supported keys matter to none', () => {
    const Condition = { IpAddress: { 'aws:SourceIp': '10.0.0.1' } }
    expect(lint(policy({ Action: 's3:GetObject', Resource: '*', Condition }))).toEqual([])
    expect(lint(policy({ Action: '*', Resource: 'arn:aws:s3:::bucket/*', Condition }))).toEqual([])
    expect(lint(policy({ Condition: { StringEquals: { 'aws:PrincipalTag/team': 'a' } } }))).toEqual([])
  })
})

describe('resources that are not database users', () => {
  test.each([
    ['arn:aws:rds:us-east-1:123456789012:db:orders', 'error resource', 'the ARN of a db'],
    ['arn:aws:rds:us-east-1:123456789012:cluster:orders', 'error resource', 'the ARN of a cluster'],
    ['arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0a1b', 'error resource', 'the ARN of a db-proxy'],
    ['arn:aws:s3:::bucket', 'error resource', 'is not a database user'],
    ['orders', 'error resource', 'is not a database user'],
    [USER.replace('dbuser:', 'dbuser/'), 'error resource', 'is not dbuser:RESOURCEID/USER'],
    [USER.replace('dbuser', 'DBUser'), 'error resource', 'is not dbuser:RESOURCEID/USER'],
    [USER.replace('/app_ro', ''), 'error resource', 'is not dbuser:RESOURCEID/USER'],
    [USER.replace('app_ro', ''), 'error resource', 'no user after the slash'],
    [
      USER.replace(/db-[A-Z]+/, 'orders'),
      'error resource-id',
      'orders is not an RDS resource id, but perhaps a name',
    ],
    [USER.replace(/db-[A-Z]+/, 'db-abcdefghijkl'), 'error resource-id', 'has lower-case letters'],
    [USER.replace(/db-[A-Z]+/, 'cluster-aBC'), 'error resource-id', 'has lower-case letters'],
    [USER.replace(/db-[A-Z]+/, 'db-orders-1'), 'error resource-id', 'not an RDS resource id'],
    [USER.replace('arn:aws:', 'arn:aws-xy:'), 'error partition', 'AWS has no partition aws-xy'],
    [
      USER.replace('us-east-1', 'cn-north-1'),
      'error region',
      'cn-north-1 is a region of partition aws-cn, not of aws',
    ],
    [USER.replace('us-east-1', 'us-east-1a'), 'error region', 'the region is us-east-1a'],
    [USER.replace('us-east-1', ''), 'error region', 'the region is missing'],
    [USER.replace('123456789012', ''), 'error account', 'the account is missing'],
    [USER.replace('123456789012', '1234'), 'error account', 'the account is 1234'],
  ])('%s: %s', (Resource, brief, message) => {
    for (const Effect of ['Allow', 'Deny']) {
      const findings = lint(policy({ Effect, Resource }))
      expect(briefly(findings)).toEqual([`${brief} ${at}`])
      expect(findings[0]?.message).toContain(message)
    }
  })

  test('are found anywhere in a list', () => {
    const Resource = [USER, 'arn:aws:rds:us-east-1:123456789012:db:orders', `${USER}*`]
    expect(findingsIn(policy({ Resource }))).toEqual([`error resource ${at}.1`, `warning too-broad ${at}.2`])
  })

  test('are for other actions if a database user is beside them, or if the action only reaches rds-db by a wildcard', () => {
    const rds = 'arn:aws:rds:us-east-1:123456789012:db:orders'
    expect(
      findingsIn(policy({ Action: ['rds-db:connect', 'rds:StartDBInstance'], Resource: [USER, rds] })),
    ).toEqual([])
    expect(findingsIn(policy({ Action: ['rds-db:connect', 'rds:StartDBInstance'], Resource: rds }))).toEqual([
      `error resource ${at}`,
    ])
    expect(findingsIn(policy({ Action: 'rds*', Resource: rds }))).toEqual([])
  })

  test('include a database user without rds-db:connect', () => {
    expect(findingsIn(policy({ Action: ['rds:connect', 'rds:*'] }))).toEqual([`error action ${at}`])
    expect(findingsIn(policy({ Action: { Ref: 'Action' } }))).toEqual([])
    expect(findingsIn(policy({ Action: { Ref: 'Action' }, Resource: '*' }))).toEqual([])
    const Resource = USER.replace('us-east-1', `\${aws:RequestedRegion}`)
    expect(findingsIn(policy({ Resource }))).toEqual([])
  })
})

describe('an action that does not exist', () => {
  test.each([USER, '*', 'arn:aws:s3:::bucket', { Ref: 'User' }])(
    'is found, whatever the resource: %j',
    Resource => {
      for (const Effect of ['Allow', 'Deny'])
        for (const Action of ['rds-db:conect', 'RDS-DB:Connects', 'rds-db:', 'rds-db:get*'])
          expect(findingsIn(policy({ Effect, Action, Resource }))).toEqual([
            'error action Statement.0.Action',
          ])
    },
  )

  test('is found beside rds-db:connect, and in NotAction', () => {
    const Action = ['rds-db:connect', 'rds-db:conect']
    const findings = lint(policy({ Action }))
    expect(briefly(findings)).toEqual(['error action Statement.0.Action.1'])
    expect(findings[0]?.message).toContain('rds-db:conect does not exist')
    expect(findingsIn(policy({ Action: ['*', 'rds-db:conect'] }))).toEqual([
      'error action Statement.0.Action.1',
      'warning too-broad Statement.0.Action.0',
    ])
    const statement = { Effect: 'Deny', NotAction: 'rds-db:conect', Resource: '*' }
    expect(findingsIn({ Version: '2012-10-17', Statement: [statement] })).toEqual([
      'error action Statement.0.NotAction',
    ])
  })

  test('is not one that a wildcard or a deployment may turn into rds-db:connect', () => {
    for (const Action of ['rds-db:*', 'rds-db:c?nnect', 'RDS-DB:CONNECT', { 'Fn::Sub': `rds-db:\${Action}` }])
      expect(findingsIn(policy({ Action }))).toEqual([])
  })
})

describe('a policy that is too broad', () => {
  test.each([
    [USER.replace('app_ro', '*'), 'user'],
    [USER.replace('app_ro', 'app_??'), 'user'],
    [USER.replace(/db-[A-Z]+/, '*'), 'resource id'],
    [USER.replace(/db-[A-Z]+/, 'db-*'), 'resource id'],
    [USER.replace('us-east-1', '*').replace('123456789012', '*'), 'region, account'],
    [USER.replace('us-east-1', 'us-*'), 'region'],
    [USER.replace(/dbuser:.*/, 'dbuser:*'), 'resource id, user'],
    [USER.replace(/dbuser:.*/, '*'), 'resource id, user'],
    ['arn:aws:rds-db:*', 'region, account, resource id, user'],
    ['*', 'partition, service, region, account, resource id, user'],
  ])('%s has a wildcard for %s', (Resource, parts) => {
    const findings = lint(policy({ Resource }))
    expect(briefly(findings)).toEqual([`warning too-broad ${at}`])
    expect(findings[0]?.message).toContain(`a wildcard for ${parts} allows`)
    expect(lint(policy({ Effect: 'Deny', Resource }))).toEqual([])
  })

  test('an action on everything and NotAction have, if they reach database users', () => {
    expect(findingsIn(policy({ Action: ['s3:*', '*'] }))).toEqual(['warning too-broad Statement.0.Action.1'])
    const open = { Effect: 'Allow', NotAction: 'iam:*', Resource: USER }
    expect(findingsIn({ Statement: [open] })).toEqual(['warning too-broad Statement.0.NotAction'])
    expect(findingsIn(policy({ Action: '*', Resource: 'arn:aws:s3:::bucket' }))).toEqual([])
  })
})

describe('variables in the user', () => {
  const resource = (variable: string) => ({ Resource: USER.replace('app_ro', variable) })

  test.each([
    [`\${aws:username}`, 'only for IAM users'],
    [`app-\${aws:UserId}`, 'ROLEID:SESSION'],
    [`\${aws:PrincipalTag/dbuser, 'none'}`, 'chooses the database user'],
  ])('%s: %s', (variable, message) => {
    const findings = lint(policy(resource(variable)))
    expect(briefly(findings)).toEqual([`warning variable ${at}`])
    expect(findings[0]?.message).toContain(message)
  })

  test('are plain text in a policy of the older version', () => {
    for (const Version of ['2008-10-17', undefined])
      expect(findingsIn(policy(resource(`\${aws:username}`), { Version }))).toEqual([`error variable ${at}`])
  })

  test('do not include escapes, which are not wildcards either', () => {
    expect(lint(policy(resource(`a\${*}\${?}\${$}`)))).toEqual([])
  })
})
