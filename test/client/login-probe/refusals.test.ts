import { describe, expect, test } from 'vitest'
import { findKnownRefusal, isTokenRefused, REFUSALS } from '../../../src/client/login-probe/find-refusal.ts'
import type { KnownRefusal } from '../../../src/client/login-probe/known-refusal.ts'
import { WireError } from '../../../src/client/wire/wire-error.ts'
import { readDocsPage, rowsOf, sectionOf } from '../../support/markdown.ts'

const refused = (code: string, message: string) => new WireError(message, { failure: 'refused', code })

test.each<[keyof typeof REFUSALS, string, string, string]>([
  ['postgres', '28000', 'PAM authentication failed for user "app"', 'RDS did not accept the token'],
  ['postgres', '28P01', 'password authentication failed for user "app"', 'not in rds_iam'],
  [
    'postgres',
    '28000',
    'no pg_hba.conf entry for host "10.0.0.7", user "app", database "orders", no encryption',
    'without TLS',
  ],
  [
    'postgres',
    '28000',
    'pg_hba.conf rejects connection for host "x", user "y", database "z", SSL off',
    'without TLS',
  ],
  [
    'postgres',
    '28000',
    'no pg_hba.conf entry for host "x", user "y", database "z", SSL encryption',
    'no rule',
  ],
  ['postgres', '28000', 'role "app" does not exist', 'no such user'],
  ['postgres', '3D000', 'database "app" does not exist', 'the token was accepted'],
  ['postgres', '42501', 'permission denied for database "orders"', 'may not connect'],
  ['postgres', '53300', 'sorry, too many clients already', 'no connection left'],
  ['postgres', '53400', 'unable to accept connection, rate exceeded', 'a limit of the server'],
  ['postgres', '57P03', 'the database system is starting up', 'restarts'],
  [
    'postgres',
    '28P01',
    'The IAM authentication failed for the role app. Check the IAM token for this role and try again.',
    'the RDS proxy did not accept the token',
  ],
  [
    'postgres',
    '28P01',
    'This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.',
    'the proxy itself cannot log in',
  ],
  [
    'postgres',
    '28000',
    'RDS supports only IAM, MD5, or SCRAM authentication.',
    'without TLS, or for GSSAPI first',
  ],
  ['postgres', '08006', 'too many competing requests', 'throttles'],
  [
    'mysql',
    '1045',
    "Access denied for user 'app'@'10.0.0.7' (using password: YES)",
    'RDS did not accept the token',
  ],
  ['mysql', '1045', "Access denied for user 'app'@'10.0.0.7' (using password: NO)", 'misleading'],
  ['mysql', '1044', "Access denied for user 'app'@'%' to database 'orders'", 'no privilege'],
  ['mysql', '1049', "Unknown database 'orders'", 'another name'],
  [
    'mysql',
    '1251',
    'Client does not support authentication protocol requested by server',
    'mysql_clear_password',
  ],
  ['mysql', '1524', "Plugin 'AWSAuthenticationPlugin' is not loaded", 'IAM authentication is off'],
  ['mysql', '1040', 'Too many connections', 'no connection left'],
  ['mysql', '1040', 'IAM authentication rate limit exceeded', 'throttles'],
  [
    'mysql',
    '1129',
    "Host '10.0.0.7' is blocked because of many connection errors",
    'before they had logged in',
  ],
])('%s %s %s', (family, code, message, means) => {
  expect(findKnownRefusal(refused(code, message), family)?.means).toContain(means)
})

test('what is not known, and what is no refusal of a server, is none', () => {
  expect(findKnownRefusal(refused('XX000', 'internal error'), 'postgres')).toBeUndefined()
  const untrusted = new WireError('PAM authentication failed', { failure: 'untrusted', code: '28000' })
  expect(findKnownRefusal(untrusted, 'postgres')).toBeUndefined()
})

test('another token is asked for only where it may help', () => {
  const asks = (code: string, message: string) => isTokenRefused(refused(code, message))
  expect(asks('28000', 'PAM authentication failed for user "app"')).toBe(true)
  expect(asks('28P01', 'The IAM authentication failed for the role app.')).toBe(true)
  expect(asks('1045', "Access denied for user 'app' (using password: NO)")).toBe(true)
  expect(asks('28P01', 'password authentication failed for user "app"')).toBe(false)
  for (const throttled of [
    'The IAM authentication failed because of too many competing requests.',
    'rate limit exceeded',
  ])
    for (const code of ['28000', '1045']) expect(asks(code, throttled)).toBe(false)
  expect(asks('53300', 'sorry, too many clients already')).toBe(false)
})

describe('docs/connect/refused.md', async () => {
  const page = await readDocsPage('connect/refused')

  const rendered = ({ says, codes, means, remedies }: KnownRefusal) => [
    `\`${says}\`${codes === undefined ? '' : ` (${codes.join(', ')})`}`,
    means,
    remedies.join('; '),
  ]

  test.each([
    ['What PostgreSQL and RDS Proxy say', REFUSALS.postgres],
    ['What MySQL, MariaDB and RDS Proxy say', REFUSALS.mysql],
  ] as const)('has what jeton doctor says: %s', (title, refusals) => {
    expect(rowsOf(sectionOf(page, title))).toEqual(refusals.map(rendered))
  })
})
