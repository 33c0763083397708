import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mysqlOptions } from '../../src/client/mysql-options.ts'
import { isTokenReply } from '../../src/client/token-reply.ts'
import { RDS_HOST, sampleReply } from '../support/service/api-stub.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'options-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function replyOf(over: Record<string, unknown> = {}) {
  const reply: unknown = sampleReply({ engine: 'mariadb', port: 3306, ...over })
  if (!isTokenReply(reply)) throw new Error('the sample is not a reply')
  return reply
}

const installed = spawnSync('mariadb', ['--version']).status === 0
const tunnel = { host: 'localhost', address: '127.0.0.1', port: 13306 }

describe('mysqlOptions', () => {
  test('returns the address and the checks, and no token', () => {
    const reply = replyOf({ dbname: 'shop' })
    const { mariadb, mysql } = mysqlOptions({ reply, caFile: '/srv/ca.pem' })
    expect(mariadb).toBe(
      `[client]\nprotocol=TCP\nhost="${RDS_HOST}"\nport=3306\nuser="app_ro"\nssl-ca="/srv/ca.pem"\nssl-verify-server-cert\n[mysql]\ndatabase="shop"\n`,
    )
    for (const line of [
      'loose-ssl-mode=VERIFY_IDENTITY',
      'loose-ssl-verify-server-cert',
      'loose-enable-cleartext-plugin',
    ])
      expect(mysql.split('[mysql]')[0]).toContain(`\n${line}\n`)
    expect(mariadb + mysql).not.toContain(reply.token)
    const withToken = mysqlOptions({ reply, caFile: '/srv/ca.pem', password: reply.token })
    for (const text of [withToken.mariadb, withToken.mysql])
      expect(text).toContain(`\nuser="app_ro"\npassword="${reply.token}"\n`)
  })

  test('leads through a tunnel if there is one', () => {
    const { mariadb, mysql } = mysqlOptions({ reply: replyOf(), caFile: '/ca', connectAddress: tunnel })
    for (const text of [mariadb, mysql]) expect(text).toContain('host="localhost"\nport=13306\n')
  })

  test.for([
    'plain',
    'with space',
    'a#b',
    'a;b',
    '[x]',
    "it's",
    'say "x"',
    '"whole"',
    'C:\\new\\table',
    ' edge ',
    'é',
  ])('returns an option file in which the mariadb client reads the user %j unchanged', (user, { skip }) => {
    if (!installed && !process.env.CI) skip('DID NOT RUN: the mariadb client is not installed')
    mkdirSync(join(folder, 'mariadb'))
    writeFileSync(
      join(folder, 'mariadb', 'my.cnf'),
      mysqlOptions({ reply: replyOf({ user }), caFile: '/ca' }).mariadb,
    )
    expect(defaultsOf(join(folder, 'mariadb'))).toContain(
      `--user=${user} --ssl-ca=/ca --ssl-verify-server-cert `,
    )
  })
})

function defaultsOf(home: string): string {
  const env = { ...process.env, HOME: home, MARIADB_HOME: home, MYSQL_HOME: '/nonexistent' }
  return execFileSync('mariadb', ['--print-defaults'], { env, encoding: 'utf8' })
}
