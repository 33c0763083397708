import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FormLogin } from '../../../src/client/forms/form.ts'
import { jdbcForm } from '../../../src/client/forms/jdbc.ts'
import { pgpassForm } from '../../../src/client/forms/pgpass.ts'
import { serviceForm } from '../../../src/client/forms/service.ts'
import { uriForm } from '../../../src/client/forms/uri.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { canRun } from '../../support/databases/install.ts'
import { type PasswordServer, startPasswordServer } from '../../support/databases/password-server.ts'
import { run } from '../../support/run.ts'
import { RDS_HOST } from '../../support/service/api-stub.ts'
import { ODD_USERS, sampleLogin } from './logins.ts'

/** Without ? / and #, which node-pg does not decode. */
const ODD_NAMES = ['shop', ' a b', 'é', '100%25', 'a=b', 'a:b@c;d,e', '$x&y+z', '-', '"\\\'']

/** What libpq makes of the forms: it logs in to a server of which RDS's name, the CA and the port are right. */
describe.runIf(await canRun(['psql']))('psql sends the login of', () => {
  const authority = createAuthority()
  let server: PasswordServer
  let folder: string
  let caFile: string

  beforeAll(async () => {
    server = await startPasswordServer(authority, [RDS_HOST])
    folder = await mkdtemp(join(tmpdir(), 'forms of ä-'))
    caFile = join(folder, 'ca.pem')
    await writeFile(caFile, authority.caPem)
  })
  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  function loginOf(user: string): FormLogin {
    const connectAddress = { host: 'tunnel.example', address: '127.0.0.1', port: server.port }
    return sampleLogin({ user, dbname: 'shop' }, { caFile, connectAddress })
  }

  async function psql(conninfo: string, env: Record<string, string> = {}) {
    const { stderr } = await run('psql', ['-w', conninfo], { env: { HOME: folder, LC_ALL: 'C', ...env } })
    return { logins: server.takeLogins(), stderr }
  }

  async function put(name: string, text: string, mode = 0o600): Promise<string> {
    await writeFile(join(folder, name), text, { mode })
    return join(folder, name)
  }

  test.for(ODD_USERS)('the user %j with -o uri, alone', async user => {
    const login = loginOf(user)
    const { logins } = await psql(uriForm.render(login).trimEnd())
    expect(logins).toEqual([{ user, database: 'shop', password: login.reply.token }])
  })

  test.for(ODD_USERS)('the user %j with -o service and -o pgpass', async user => {
    const login = loginOf(user)
    const others = `other.example:5432:*:${user}:no\n${RDS_HOST}:1:*:*:no\n`
    const env = {
      PGSERVICEFILE: await put('service.conf', serviceForm.render(login)),
      PGPASSFILE: await put('pgpass', others + pgpassForm.render(login)),
    }
    const { logins } = await psql('service=orders', env)
    expect(logins).toEqual([{ user, database: 'shop', password: login.reply.token }])
  })

  test('nothing if the server is another one', async () => {
    const impostor = await startPasswordServer(createAuthority(), [RDS_HOST])
    const misnamed = await startPasswordServer(authority, ['evil.example'])
    for (const { port, takeLogins } of [impostor, misnamed]) {
      const connectAddress = { host: '127.0.0.1', address: '127.0.0.1', port }
      const { stderr } = await psql(uriForm.render({ ...loginOf('app'), connectAddress }).trimEnd())
      expect(stderr).toMatch(/certificate verify failed|does not match host name/)
      expect(takeLogins()).toEqual([])
    }
    await Promise.all([impostor.close(), misnamed.close()])
  })

  test('a service file without a password, because libpq would refuse the line', async () => {
    const login = loginOf('app')
    expect(serviceForm.render(login)).not.toContain(login.reply.token)
    const PGSERVICEFILE = await put('long', `${serviceForm.render(login)}password=${login.reply.token}\n`)
    expect((await psql('service=orders', { PGSERVICEFILE })).stderr).toContain('too long in service file')
  })

  test.for(ODD_NAMES)('the database %j with -o uri, which node-pg reads too', async dbname => {
    const login = loginOf('zoë')
    login.reply.dbname = dbname
    const uri = uriForm.render(login).trimEnd()
    const { logins } = await psql(uri)
    expect(logins).toEqual([{ user: 'zoë', database: dbname, password: login.reply.token }])
    const client = new pg.Client(uri)
    expect(client).toMatchObject({ user: 'zoë', host: RDS_HOST, port: server.port, database: dbname })
    expect([client.password, client.ssl]).toEqual([login.reply.token, { ca: authority.caPem }])
  })
})

describe('the forms for PostgreSQL', () => {
  test('name RDS and its port without a tunnel, and no database where none is configured', () => {
    const login = sampleLogin({}, { caFile: '/ca.pem' })
    const { token } = login.reply
    const encoded = encodeURIComponent(token)
    expect(pgpassForm.render(login)).toBe(`${RDS_HOST}:5432:*:app_ro:${token.replaceAll(':', '\\:')}\n`)
    expect(serviceForm.render(login)).toBe(
      `[orders]\nhost=${RDS_HOST}\nport=5432\nuser=app_ro\nsslmode=verify-full\nsslrootcert=/ca.pem\n`,
    )
    expect(uriForm.render(login)).toBe(
      `postgresql://app_ro:${encoded}@${RDS_HOST}:5432/?sslmode=verify-full&sslrootcert=%2Fca.pem\n`,
    )
    expect(jdbcForm.render(login)).toBe(
      `jdbc:postgresql://${RDS_HOST}:5432/?user=app_ro&password=${encoded}&sslmode=verify-full&sslrootcert=%2Fca.pem\n`,
    )
  })

  test('are refused for a service file in which libpq would change a name', () => {
    for (const overrides of [{ user: 'app ' }, { dbname: 'shop\u2003 ' }])
      expect(() => serviceForm.render(sampleLogin(overrides))).toThrow('drops white space at the end')
  })

  test.for(ODD_USERS)('a JDBC URL gives back the user %j and the token after one decoding', user => {
    const login = sampleLogin({ user, dbname: 'a b' }, { caFile: '/a+b/ca.pem' })
    const { pathname, searchParams } = new URL(jdbcForm.render(login).trimEnd().slice('jdbc:'.length))
    expect(decodeURIComponent(pathname)).toBe('/a b')
    // pgJDBC takes + for a space, as searchParams does
    expect([searchParams.get('user'), searchParams.get('password'), searchParams.get('sslrootcert')]).toEqual(
      [user, login.reply.token, '/a+b/ca.pem'],
    )
  })
})
