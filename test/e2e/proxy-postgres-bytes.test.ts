import { once } from 'node:events'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { encodeMessage } from '../../src/client/wire/postgres-messages.ts'
import { canRun } from '../support/databases/install.ts'
import { eventually } from '../support/proxy/eventually.ts'
import { pgOptions } from '../support/proxy/libpq.ts'
import { type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type ProxyService, startProxyService } from '../support/proxy/proxy-service.ts'
import {
  cancelRequestOf,
  connectRaw,
  fieldsOf,
  GOODBYE,
  GSS_REQUEST,
  queryOf,
  type RawClient,
  SSL_REQUEST,
  startupOf,
  valuesOf,
} from '../support/proxy/raw-postgres.ts'
import type { JetonFront } from '../support/service/jeton-front.ts'

const MB = 1024 * 1024

/** What clients send byte by byte, and what they leave out, against a real PostgreSQL. */
describe.runIf(await canRun(['postgres']))('jeton proxy', () => {
  let service: ProxyService
  let front: JetonFront
  let proxy: ProxyProcess
  /** Lets two clients in. */
  let narrow: ProxyProcess

  beforeAll(async () => {
    service = await startProxyService({ engine: 'postgres', databases: { orders: {} } })
    front = await service.startFront()
    const parts = { front, apiKey: service.apiKey }
    ;[proxy, narrow] = await Promise.all([
      startProxy({ ...parts, databases: ['orders'] }),
      startProxy({ ...parts, databases: ['orders'], args: ['--max-connections', '2'] }),
    ])
  })
  afterAll(async () => {
    await Promise.all([proxy, narrow].map(started => started?.close()))
    await service?.close()
    vi.unstubAllEnvs()
  })

  const connect = (through = proxy) => connectRaw(through.endpoint('orders'))
  const logIn = async (client: RawClient, startup = startupOf()) => {
    client.send(startup)
    return client.takeUntil('Z')
  }
  const ask = async (client: RawClient, sql: string) => {
    client.send(queryOf(sql))
    return valuesOf(await client.takeUntil('Z'))
  }
  const end = async (client: RawClient) => {
    client.send(GOODBYE)
    expect(await client.takeRest()).toEqual(Buffer.alloc(0))
  }
  const openSessions = async (condition: string) =>
    (await service.real.admin(`select count(*)::int from pg_stat_activity where ${condition}`))[0]?.count

  describe.concurrent('a client', () => {
    test.each([
      ['TLS', [SSL_REQUEST]],
      ['GSS', [GSS_REQUEST]],
      ['TLS, then GSS', [SSL_REQUEST, GSS_REQUEST]],
      ['GSS, then TLS', [GSS_REQUEST, SSL_REQUEST]],
    ])('that asks for %s is told no, and logs in', async (_, requests) => {
      const client = await connect()
      for (const request of requests) {
        client.send(request)
        expect((await client.take(1)).toString()).toBe('N')
      }
      await logIn(client)
      expect(await ask(client, 'select current_user')).toEqual(['app_rw'])
      await end(client)
    })

    test('whose messages come byte by byte logs in', async () => {
      const client = await connect()
      await client.sendByteByByte(SSL_REQUEST)
      expect((await client.take(1)).toString()).toBe('N')
      await client.sendByteByByte(GSS_REQUEST)
      expect((await client.take(1)).toString()).toBe('N')
      await client.sendByteByByte(startupOf({ user: 'anybody', application_name: 'slow' }))
      await client.takeUntil('Z')
      await client.sendByteByByte(queryOf("select current_setting('application_name')"))
      expect(valuesOf(await client.takeUntil('Z'))).toEqual(['slow'])
      await end(client)
    })

    test('whose messages are cut in two anywhere logs in', async () => {
      const bytes = Buffer.concat([SSL_REQUEST, GSS_REQUEST, startupOf()])
      const answers = await Promise.all(
        Array.from({ length: bytes.length - 1 }, async (_, before) => {
          const client = await connect()
          client.send(bytes.subarray(0, before + 1))
          await new Promise(setImmediate)
          client.send(bytes.subarray(before + 1), queryOf('select 1'))
          expect((await client.take(2)).toString()).toBe('NN')
          await client.takeUntil('Z')
          const answer = valuesOf(await client.takeUntil('Z'))
          await end(client)
          return answer
        }),
      )
      expect(new Set(answers.flat())).toEqual(new Set(['1']))
    })

    test('that says everything at once is answered everything', async () => {
      const client = await connect()
      // more than the proxy keeps until the login
      const long = queryOf(`select length('${'x'.repeat(MB)}')`)
      client.send(SSL_REQUEST, GSS_REQUEST, startupOf(), queryOf('select 1'), long, GOODBYE)
      expect((await client.take(2)).toString()).toBe('NN')
      await client.takeUntil('Z')
      expect(valuesOf(await client.takeUntil('Z'))).toEqual(['1'])
      expect(valuesOf(await client.takeUntil('Z'))).toEqual([String(MB)])
      expect(await client.takeRest()).toEqual(Buffer.alloc(0))
    })

    test('of a newer protocol is told once which the server speaks', async () => {
      const client = await connect()
      const messages = await logIn(client, startupOf({ user: 'anybody', '_pq_.new': 'on' }, (3 << 16) | 2))
      expect(
        messages
          .map(({ type }) => type)
          .slice(0, 2)
          .sort(),
      ).toEqual(['R', 'v'])
      const answered = messages.filter(({ type }) => type === 'v')
      expect(answered).toHaveLength(1)
      expect(answered[0]?.body.toString('latin1')).toContain('_pq_.new\0')
      await end(client)
    })

    test('that ends its half of the connection gets the whole reply', async () => {
      const client = await connect()
      await logIn(client)
      client.socket.end(queryOf('select generate_series(1, 100000)'))
      const messages = await client.takeUntil('Z')
      expect(valuesOf(messages)).toHaveLength(100_000)
      expect(await client.takeRest()).toEqual(Buffer.alloc(0))
    })

    test('whose session the database ends is told so', async () => {
      const client = await connect()
      await logIn(client)
      const [pid] = await ask(client, 'select pg_backend_pid()')
      await service.real.admin(`select pg_terminate_backend(${pid})`)
      expect(fieldsOf(await client.takeMessage())).toMatchObject({
        S: 'FATAL',
        C: '57P01',
        M: 'terminating connection due to administrator command',
      })
      expect(await client.takeRest()).toEqual(Buffer.alloc(0))
    })

    test('that is gone leaves no session behind', async () => {
      const [idle, busy] = await Promise.all([connect(), connect()])
      await Promise.all([logIn(idle), logIn(busy)])
      const pids = [await ask(idle, 'select pg_backend_pid()'), await ask(busy, 'select pg_backend_pid()')]
      busy.send(queryOf("select repeat('x', 1000) from generate_series(1, 10000000)"))
      await busy.take(100_000)
      idle.socket.destroy()
      busy.socket.destroy()
      await eventually(() => openSessions(`pid in (${pids.join()})`), 0)
    })

    test('cancels what a session does by its key, and by no other', async () => {
      const client = await connect()
      const keyData = (await logIn(client)).find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0)
      client.send(queryOf("select 'by key', pg_sleep(60)"))
      const sleeping = "query ~ '^select .by key' and wait_event = 'PgSleep'"
      await eventually(() => openSessions(sleeping), 1)
      const wrongKey = Buffer.from(keyData)
      wrongKey.writeInt32BE(keyData.readInt32BE(4) ^ 1, 4)
      // of 16 bytes, and of 44 as clients of PostgreSQL 18 send it
      for (const key of [wrongKey, Buffer.concat([wrongKey, Buffer.alloc(28)]), keyData]) {
        expect(await openSessions(sleeping)).toBe(1)
        const canceller = await connect()
        canceller.send(cancelRequestOf(key))
        expect(await canceller.takeRest()).toEqual(Buffer.alloc(0))
        canceller.socket.destroy()
      }
      const error = (await client.takeUntil('Z')).find(({ type }) => type === 'E')
      expect(error && fieldsOf(error)).toMatchObject({ C: '57014' })
      expect(await ask(client, "select 'goes on'")).toEqual(['goes on'])
      await end(client)
    })

    test('that asks to cancel and is gone at once is heard', async () => {
      const client = await connect()
      const keyData = (await logIn(client)).find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0)
      client.send(queryOf("select 'gone', pg_sleep(60)"))
      await eventually(() => openSessions("query ~ '^select .gone' and wait_event = 'PgSleep'"), 1)
      const canceller = await connect()
      canceller.socket.end(cancelRequestOf(keyData), () => canceller.socket.destroy())
      const error = (await client.takeUntil('Z')).find(({ type }) => type === 'E')
      expect(error && fieldsOf(error)).toMatchObject({ C: '57014' })
      await end(client)
    })

    test.each([
      ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: orders\r\n\r\n')],
      ['a length of 2 GB', Buffer.from('7fffffff00030000', 'hex')],
      ['a length below 0', Buffer.from('ffffffff00030000', 'hex')],
      ['a length of 4', Buffer.from('0000000400030000', 'hex')],
      ['zeros', Buffer.alloc(64)],
      ['a request for TLS of another length', Buffer.from('0000000904d2162f00', 'hex')],
      ['a cancel request without a key', Buffer.from('0000000804d2162e', 'hex')],
      ['parameters that do not end', encodeStartup(Buffer.from('user\0anybody'))],
      ['a name without a value', encodeStartup(Buffer.from('user\0anybody\0database\0'))],
    ])('that sends %s is sent away', async (_, bytes) => {
      const client = await connect()
      client.send(bytes)
      const rest = await client.takeRest()
      if (rest.length > 0) expect(rest.toString('latin1')).toMatch(/^E.*FATAL\0/s)
    })

    test.each([
      ['replication', startupOf({ user: 'anybody', replication: 'database' })],
      ['protocol 2.0', startupOf({ user: 'anybody' }, 2 << 16)],
      ['protocol 4.0', startupOf({ user: 'anybody' }, 4 << 16)],
    ])('that wants %s is told that there is none', async (_, startup) => {
      const client = await connect()
      client.send(startup)
      expect(fieldsOf(await client.takeMessage())).toMatchObject({ S: 'FATAL', C: '0A000' })
      expect(await client.takeRest()).toEqual(Buffer.alloc(0))
    })

    test('that begins with TLS itself is sent away at once', async () => {
      const options = pgOptions(proxy.endpoint('orders'))
      const client = new pg.Client({
        ...options,
        ssl: { rejectUnauthorized: false },
        sslnegotiation: 'direct',
      })
      await expect(client.connect()).rejects.toThrow()
    })

    test('that does not read stops the database, and costs the proxy no memory', async () => {
      const client = await connect(narrow)
      await logIn(client)
      const [pid] = await ask(client, 'select pg_backend_pid()')
      const before = await narrow.residentBytes()
      const readBefore = await narrow.bytesRead()
      client.socket.pause()
      client.send(queryOf("select repeat('x', 1000000) from generate_series(1, 150)"))
      let [read, looks] = [readBefore, 0]
      const isStill = async () => {
        const now = await narrow.bytesRead()
        looks = now === read ? looks + 1 : 0
        read = now
        return looks >= 20 && read > readBefore + 100_000
      }
      await eventually(isStill, true)
      expect(await openSessions(`pid = ${pid} and wait_event = 'ClientWrite'`)).toBe(1)
      expect((await narrow.residentBytes()) - before).toBeLessThan(64 * MB)

      let bytes = 0
      client.socket.removeAllListeners('data').on('data', chunk => {
        bytes += chunk.length
      })
      client.send(GOODBYE)
      client.socket.resume()
      await once(client.socket, 'end')
      expect(bytes).toBeGreaterThan(150_000_000)
    })
  })

  test('serves others while a hundred say nothing, or half of a message', async () => {
    const halves = [Buffer.alloc(0), SSL_REQUEST.subarray(0, 3), startupOf().subarray(0, 20), Buffer.alloc(1)]
    const silent = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const client = await connect()
        client.send(halves[i % halves.length] ?? Buffer.alloc(0))
        return client
      }),
    )
    const client = await connect()
    await logIn(client)
    expect(await ask(client, 'select 1')).toEqual(['1'])
    await end(client)
    for (const { socket } of silent) socket.destroy()
  })

  test('lets no more clients in than it is to have, and others when one has ended', async () => {
    const [first, second] = [await connect(narrow), await connect(narrow)]
    const keyData = (await logIn(first)).find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0)
    await logIn(second)
    const third = await connect(narrow)
    third.send(startupOf())
    expect(fieldsOf(await third.takeMessage())).toMatchObject({
      S: 'FATAL',
      C: '53300',
      M: expect.stringContaining('2'),
    })
    expect(await third.takeRest()).toEqual(Buffer.alloc(0))

    // PostgreSQL, too, lets a cancel request in when it is full
    first.send(queryOf("select 'full', pg_sleep(60)"))
    await eventually(() => openSessions("query ~ '^select .full' and wait_event = 'PgSleep'"), 1)
    const canceller = await connect(narrow)
    canceller.send(cancelRequestOf(keyData))
    expect(await canceller.takeRest()).toEqual(Buffer.alloc(0))
    const error = (await first.takeUntil('Z')).find(({ type }) => type === 'E')
    expect(error && fieldsOf(error)).toMatchObject({ C: '57014' })

    await end(first)
    await eventually(async () => {
      const fourth = await connect(narrow)
      fourth.send(startupOf())
      const { type } = await fourth.takeMessage()
      fourth.socket.destroy()
      return type
    }, 'R')
    await end(second)
  })
})

function encodeStartup(parameters: Buffer): Buffer {
  const message = encodeMessage('?', Buffer.concat([Buffer.from([0, 3, 0, 0]), parameters]))
  return message.subarray(1)
}
