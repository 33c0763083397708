import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jdbcForm } from '../../../src/client/forms/jdbc.ts'
import { mycnfForm } from '../../../src/client/forms/mycnf.ts'
import { uriForm } from '../../../src/client/forms/uri.ts'
import { canRun } from '../../support/databases/install.ts'
import { run } from '../../support/run.ts'
import { RDS_HOST } from '../../support/service/api-stub.ts'
import { ODD_USERS, sampleLogin } from './logins.ts'

const mysql = { engine: 'mysql', port: 3306 }

describe.runIf(await canRun(['mariadb-client']))('an option file with the password', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mycnf-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test.for([...ODD_USERS, '"'])('is read unchanged by the mariadb client for the user %j', async user => {
    const login = sampleLogin({ ...mysql, engine: 'mariadb', user }, { caFile: '/srv/a #b/ca.pem' })
    const file = join(folder, 'my.cnf')
    await writeFile(file, mycnfForm.render(login), { mode: 0o600 })
    const { stdout } = await run('mariadb', [`--defaults-file=${file}`, '--print-defaults'])
    expect(stdout).toContain(
      `--protocol=TCP --host=${RDS_HOST} --port=3306 --user=${user} --password=${login.reply.token} --ssl-ca=/srv/a #b/ca.pem --ssl-verify-server-cert `,
    )
  })
})

describe('the forms for MySQL', () => {
  test('make every client check the server, or else refuse to send the token', () => {
    const lines = mycnfForm.render(sampleLogin(mysql, { caFile: '/ca.pem' })).split('\n')
    expect(lines[0]).toMatch(/^# /)
    for (const line of ['loose-ssl-mode=VERIFY_IDENTITY', 'loose-ssl-verify-server-cert', 'ssl-ca="/ca.pem"'])
      expect(lines).toContain(line)
    expect(() => mycnfForm.render(sampleLogin(mysql))).toThrow('needs a CA bundle')
  })

  test('are URLs with the parameters of MySQL’s own clients', () => {
    const login = sampleLogin({ ...mysql, user: 'zoë@x', dbname: 'shop' }, { caFile: '/ca.pem' })
    const password = encodeURIComponent(login.reply.token)
    expect(uriForm.render(login)).toBe(
      `mysql://zo%C3%AB%40x:${password}@${RDS_HOST}:3306/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=%2Fca.pem\n`,
    )
  })

  test('are JDBC URLs without the token, which MariaDB’s driver would not decode', () => {
    const connectAddress = { host: 'tunnel.example', address: '192.0.2.7', port: 13306 }
    const url = jdbcForm.render(
      sampleLogin({ ...mysql, dbname: 'shop' }, { caFile: '/ca.pem', connectAddress }),
    )
    expect(url).toBe(
      `jdbc:mariadb://${RDS_HOST}:13306/shop?useSsl=true&sslMode=verify-full&serverSslCert=/ca.pem&credentialType=ENV&userKey=MYSQL_USER&pwdKey=MYSQL_PWD\n`,
    )
    for (const dbname of ['a&allowLocalInfile=true', 'a?b', 'a/b'])
      expect(() => jdbcForm.render(sampleLogin({ ...mysql, dbname }))).toThrow(
        'MariaDB Connector/J takes no &',
      )
  })
})
