import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { der } from '../../../src/dev/postgres/der.ts'
import { type LdapServer, startLdap } from '../../../src/dev/postgres/ldap.ts'

let server: LdapServer
afterEach(() => server.close())

const binds: { user: string; password: string }[] = []
async function start(check: (user: string, password: string) => boolean | Promise<boolean>) {
  binds.length = 0
  server = await startLdap((user, password) => {
    binds.push({ user, password })
    return check(user, password)
  })
}

const bind = (user: string, password: string) =>
  der(
    0x30,
    der(0x02, Buffer.from([7])),
    der(0x60, der(0x02, Buffer.from([3])), der(0x04, Buffer.from(user)), der(0x80, Buffer.from(password))),
  )

/** Sends the pieces, each in a packet of its own; returns the answer as hex once it has `bytes` bytes or the server hangs up. */
async function send(pieces: Buffer[], bytes: number): Promise<string> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise(resolve => setImmediate(resolve))
  }
  let answer = Buffer.alloc(0)
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk as Buffer])
    if (answer.length >= bytes) break
  }
  return answer.toString('hex')
}

const result = (code: string) => `300c02010761070a01${code}04000400`

test('startLdap answers a bind as RFC 4511 has it', async () => {
  await start((user, password) => user === 'a,b=c' && password === 'right')
  expect(await send([bind('a,b=c', 'right')], 14)).toBe(result('00'))
  expect(await send([bind('a,b=c', 'wrong')], 14)).toBe(result('31'))
  expect(await send([bind('a', 'right')], 14)).toBe(result('31'))
})

test('startLdap reads a bind in pieces of one byte, and two in one piece', async () => {
  await start(async () => true)
  const bytes = bind('app_ro', 'token')
  const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
  expect(await send(pieces, 14)).toBe(result('00'))
  expect(await send([Buffer.concat([bytes, bytes])], 28)).toBe(result('00').repeat(2))
  expect(binds).toEqual(Array(3).fill({ user: 'app_ro', password: 'token' }))
})

test.each([0, 127, 128, 255, 256, 65_535, 65_536, 500_000])(
  'startLdap passes on a whole password of %d bytes',
  async length => {
    await start(() => true)
    const password = 'x'.repeat(length)
    await send([bind('app_ro', password)], 14)
    expect(binds).toEqual([{ user: 'app_ro', password }])
  },
)

test('startLdap hangs up on anything but a simple bind, on nonsense and on too much, and goes on', async () => {
  await start(() => true)
  const search = der(0x30, der(0x02, Buffer.from([1])), der(0x63))
  const sasl = der(
    0x30,
    der(0x02, Buffer.from([1])),
    der(0x60, der(0x02, Buffer.from([3])), der(0x04), der(0xa3, der(0x04, Buffer.from('PLAIN')))),
  )
  const huge = Buffer.concat([
    Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
    Buffer.alloc(2 * 1024 * 1024),
  ])
  for (const bytes of [search, sasl, huge, Buffer.from('GET / HTTP/1.1\r\n\r\n'.padEnd(2048))])
    expect(await send([bytes], 1).catch(() => '')).toBe('')
  expect(binds).toEqual([])
  expect(await send([bind('app_ro', 'token')], 14)).toBe(result('00'))
})
