import { expect, test } from 'vitest'
import { isLoginRefused } from '../../../src/client/library/login-refused.ts'

const error = (message: string, members: object = {}) => Object.assign(new Error(message), members)

test.each([
  ['pg, of PAM', error('PAM authentication failed for user "app_ro"', { code: '28000' })],
  ['pg, of a password', error('password authentication failed for user "app_ro"', { code: '28P01' })],
  ['RDS Proxy, by its text alone', error('The IAM authentication failed for the role app_ro.')],
  [
    'mysql2, after a token has ended',
    error("Access denied for user 'app_ro'@'10.0.0.1' (using password: NO)", {
      code: 'ER_ACCESS_DENIED_ERROR',
      errno: 1045,
    }),
  ],
  [
    'mariadb, within the error of its pool',
    error('pool timeout', { cause: error('denied', { errno: 1045 }) }),
  ],
  ['Sequelize', error('denied', { parent: error('denied', { code: '28P01' }) })],
  [
    "Prisma's adapter",
    error('AuthenticationFailed', { cause: { kind: 'AuthenticationFailed', originalCode: '28P01' } }),
  ],
  [
    "Prisma's client",
    error('Raw query failed', {
      code: 'P2010',
      meta: { driverAdapterError: error('postgres', { cause: { kind: 'postgres', code: '28000' } }) },
    }),
  ],
  ["Prisma's client, in its own words", error('Authentication failed against the server', { code: 'P1000' })],
  ['TypeORM', error('denied', { driverError: error('denied', { code: '28000' }) })],
])('isLoginRefused knows the error of %s', (_, cause) => {
  expect(isLoginRefused(cause)).toBe(true)
})

test.each([
  ['a connection that was refused', error('connect ECONNREFUSED', { code: 'ECONNREFUSED' })],
  ['a database that starts', error('the database system is starting up', { code: '57P03' })],
  ['a missing right', error('permission denied for table orders', { code: '42501' })],
  ['a database that is not granted', error('Access denied to database', { errno: 1044 })],
  ['text', '28000'],
  ['nothing', undefined],
])('isLoginRefused is false for %s', (_, cause) => {
  expect(isLoginRefused(cause)).toBe(false)
})

test('isLoginRefused ends, though an error is its own cause', () => {
  const own = error('again')
  expect(isLoginRefused(Object.assign(own, { cause: own }))).toBe(false)
})
