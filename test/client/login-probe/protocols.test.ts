import { describe, expect, test } from 'vitest'
import { createMysqlProtocol } from '../../../src/client/login-probe/mysql.ts'
import { createPostgresProtocol } from '../../../src/client/login-probe/postgres.ts'
import { createFakeServer } from './support.ts'

const TOKEN = `orders:5432/?${'t'.repeat(1400)}`
const LOGIN = { user: 'app', token: TOKEN, dbname: 'orders' }

const int32 = (number: number) =>
  Buffer.from([number >> 24, number >> 16, number >> 8, number]).toString('latin1')
const message = (type: string, body: string) => `${type}${int32(body.length + 4)}${body}`
const packet = (sequence: number, payload: string) =>
  `${String.fromCharCode(payload.length & 0xff, payload.length >> 8, 0, sequence)}${payload}`

describe('PostgreSQL, whose messages come byte by byte', () => {
  test('a login and a query', async () => {
    const { channel, send, written } = createFakeServer()
    const protocol = createPostgresProtocol()
    const login = protocol.logIn(channel, LOGIN)
    send(message('v', `${int32(0)}${int32(0)}`) + message('R', int32(3)))
    await expect.poll(() => written().includes(TOKEN)).toBe(true)
    send(message('R', int32(0)) + message('S', 'a\0b\0') + message('K', '12345678') + message('Z', 'I'))
    expect(await login).toBe(true)
    expect(written().toString('latin1')).toBe(
      `${int32(4 + 4 + 9 + 16 + 30 + 1)}\0\x03\0\0user\0app\0database\0orders\0application_name\0jeton doctor\0\0${message('p', `${TOKEN}\0`)}`,
    )
    const query = protocol.queryUser(channel)
    send(
      message('T', 'columns') +
        message('D', `\0\x01${int32(3)}app`) +
        message('C', 'SELECT 1\0') +
        message('Z', 'I'),
    )
    expect(await query).toBe('app')
  })

  test.each([
    [5, 'an MD5 password'],
    [10, 'a SCRAM password'],
    [99, 'another authentication'],
  ])('a server that asks for authentication %i gets no token', async (method, name) => {
    const { channel, send, written } = createFakeServer()
    const login = createPostgresProtocol().logIn(channel, LOGIN)
    send(message('R', int32(method)))
    await expect(login).rejects.toMatchObject({
      failure: 'token_not_wanted',
      message: `the server asks for ${name} and not for a token`,
    })
    expect(written().includes(TOKEN)).toBe(false)
  })

  test('a server that is ready without having accepted anybody is not believed', async () => {
    const { channel, send, end } = createFakeServer()
    const login = createPostgresProtocol().logIn(channel, LOGIN)
    send(message('Z', 'I'))
    end()
    await expect(login).rejects.toMatchObject({ failure: 'connection' })
  })

  test('a refusal is fit for a terminal, and without the token', async () => {
    const { channel, send } = createFakeServer()
    const login = createPostgresProtocol().logIn(channel, LOGIN)
    send(message('E', `SFATAL\0C28000\0Mno \x1b[2J${TOKEN}\0\0`))
    await expect(login).rejects.toMatchObject({
      failure: 'refused',
      code: '28000',
      message: 'no \\u001b[2J[token]',
    })
  })

  test('half a message, and one that is too long', async () => {
    const half = createFakeServer()
    const login = createPostgresProtocol().logIn(half.channel, LOGIN)
    half.send(message('R', int32(3)).slice(0, 7))
    half.end()
    await expect(login).rejects.toMatchObject({ failure: 'connection' })
    const long = createFakeServer()
    const other = createPostgresProtocol().logIn(long.channel, LOGIN)
    long.send(`R${int32(0x7fffffff)}`)
    await expect(other).rejects.toMatchObject({ failure: 'protocol' })
  })
})

describe('MySQL, whose packets come byte by byte', () => {
  /** After its greeting, with this plugin as its default. */
  async function greeted(plugin: string) {
    const plain = createFakeServer()
    const protocol = createMysqlProtocol()
    const tls = protocol.requestTls(plain.channel)
    plain.send(
      packet(
        0,
        `\x0a8.4.0\0${'i'.repeat(12)}\0\xff\xff\x2d\x02\0\xff\xdf\x15${'\0'.repeat(10)}${'s'.repeat(13)}${plugin}\0`,
      ),
    )
    await tls
    expect(plain.written()).toHaveLength(36)
    return { protocol, ...createFakeServer() }
  }

  test('a login in which the server asks for the token, and a query', async () => {
    const { protocol, channel, send, written } = await greeted('caching_sha2_password')
    const login = protocol.logIn(channel, LOGIN)
    await expect.poll(() => written().length).toBeGreaterThan(0)
    expect(written().includes(TOKEN)).toBe(false)
    expect(written().toString('latin1', 36)).toBe('app\0\0orders\0caching_sha2_password\0')
    send(packet(3, '\xfemysql_clear_password\0'))
    await expect.poll(() => written().includes(TOKEN)).toBe(true)
    send(packet(5, '\0\0\0\x02\0\0\0'))
    expect(await login).toBe(true)
    const query = protocol.queryUser(channel)
    send(packet(1, '\x01') + packet(2, 'column') + packet(3, '\xfe\0\0\x02\0'))
    send(packet(4, '\x05app@%') + packet(5, '\xfe\0\0\x02\0'))
    expect(await query).toBe('app@%')
  })

  test('a server whose own plugin is for clear text gets the token at once', async () => {
    const { protocol, channel, send, written } = await greeted('mysql_clear_password')
    const login = protocol.logIn(channel, LOGIN)
    send(packet(3, '\0\0\0\x02\0\0\0'))
    await login
    expect(written().includes(`\xfc\x86\x05${TOKEN}\0`, 0, 'latin1')).toBe(true)
  })

  test('an account without a password is let in without the token', async () => {
    const { protocol, channel, send, written } = await greeted('caching_sha2_password')
    const login = protocol.logIn(channel, LOGIN)
    send(packet(3, '\0\0\0\x02\0\0\0'))
    expect(await login).toBe(false)
    expect(written().includes(TOKEN)).toBe(false)
  })

  test('a plugin that is not named is that of before MySQL 4.1', async () => {
    const { protocol, channel, send } = await greeted('mysql_native_password')
    const login = protocol.logIn(channel, LOGIN)
    send(packet(3, '\xfe'))
    await expect(login).rejects.toMatchObject({
      message: 'the server asks for the plugin mysql_old_password and not for a token',
    })
  })

  test('an account with another plugin gets no token', async () => {
    const { protocol, channel, send, written } = await greeted('caching_sha2_password')
    const login = protocol.logIn(channel, LOGIN)
    send(packet(3, '\xfemysql_native_password\0scramble'))
    await expect(login).rejects.toMatchObject({
      failure: 'token_not_wanted',
      message: 'the server asks for the plugin mysql_native_password and not for a token',
    })
    expect(written().includes(TOKEN)).toBe(false)
  })

  test('a refusal before and after the server asked', async () => {
    const before = await greeted('mysql_native_password')
    const login = before.protocol.logIn(before.channel, LOGIN)
    before.send(packet(3, "\xff\x15\x04#28000Access denied for user 'app' (using password: NO)"))
    await expect(login).rejects.toMatchObject({
      failure: 'token_not_wanted',
      code: '1045',
      message: "Access denied for user 'app' (using password: NO), before it asked for a token",
    })
    const after = await greeted('mysql_native_password')
    const other = after.protocol.logIn(after.channel, LOGIN)
    after.send(packet(3, '\xfemysql_clear_password\0') + packet(5, `\xff\x15\x04#28000no ${TOKEN}`))
    await expect(other).rejects.toMatchObject({ failure: 'refused', code: '1045', message: 'no [token]' })
  })
})
