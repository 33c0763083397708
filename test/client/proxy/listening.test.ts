import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, link, lstat, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { listenLocally } from '../../../src/client/proxy/local/listen-locally.ts'
import { localAddress } from '../../../src/client/proxy/local/local-address.ts'
import { defaultSocketFolder, makeSocketFolder } from '../../../src/client/proxy/local/socket-folder.ts'
import { newFolder, readLine, startToyProxy, startToyServer, toyReply } from './toy-proxy.ts'

const UID = process.getuid?.() ?? 0

async function listenAt(path: string) {
  const server = await listenLocally(
    { path, port: 5432 },
    socket => void socket.on('error', () => {}).end('proxy'),
  )
  onTestFinished(() => server.close())
  return server
}

test('a socket is 0600 whatever the umask, and the umask stays as it was', async () => {
  const folder = await newFolder()
  const umask = process.umask(0)
  onTestFinished(() => void process.umask(umask))
  await listenAt(join(folder, 's'))
  expect((await lstat(join(folder, 's'))).mode & 0o777).toBe(0o600)
  expect(process.umask()).toBe(0)
})

test('a folder that is missing is made 0700, and is kept as it is', async () => {
  const folder = join(await newFolder(), 'a', 'b')
  await makeSocketFolder(folder, UID)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await chmod(folder, 0o755)
  await makeSocketFolder(folder, UID)
  expect((await stat(folder)).mode & 0o777).toBe(0o755)
})

test.each([
  ['that others may write to', async (path: string) => chmod(path, 0o777), 'may be written to by others'],
  ['that is a link', async (path: string) => symlink('/tmp', `${path}/link`), 'is not a folder'],
])('a folder %s is refused', async (_name, spoil, why) => {
  const folder = await newFolder()
  await spoil(folder)
  const path = why.includes('written') ? folder : `${folder}/link`
  await expect(makeSocketFolder(path, UID)).rejects.toMatchObject({
    exitCode: 1,
    message: `no folder for sockets: ${path} ${why}: give --socket-dir a folder of yours`,
  })
})

test('a folder of somebody else is refused', async () => {
  const folder = await newFolder()
  await expect(makeSocketFolder(folder, UID + 1)).rejects.toThrow(`${folder} belongs to somebody else`)
})

test('without --socket-dir each database has a private folder of its own', async () => {
  const runtime = await newFolder()
  const folder = await defaultSocketFolder('orders', { env: { XDG_RUNTIME_DIR: runtime }, uid: UID })
  expect(folder).toBe(join(runtime, 'jeton', 'orders'))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(runtime, 'jeton'))).mode & 0o777).toBe(0o700)
})

test('the folder that an attacker has made before, in /tmp, is refused', async () => {
  const shared = `/tmp/jeton-${UID + 7}`
  await mkdir(shared, { recursive: true })
  onTestFinished(() => import('node:fs/promises').then(({ rm }) => rm(shared, { recursive: true })))
  await expect(defaultSocketFolder('orders', { env: {}, uid: UID + 7 })).rejects.toThrow(
    `${shared} belongs to somebody else`,
  )
})

test('a socket that a dead proxy left behind is replaced', async () => {
  const folder = await newFolder()
  const path = join(folder, '.s.PGSQL.5432')
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  await promisify(execFile)(process.execPath, ['-e', code]).catch(() => {})
  expect((await lstat(path)).isSocket()).toBe(true)
  await listenAt(path)
  expect(String(await once(connect(path), 'data'))).toBe('proxy')
})

test('of proxies that start at one path at one moment, one listens, and the others say so', async () => {
  const path = join(await newFolder(), 's')
  const dead = createServer()
  await once(dead.listen(`${path}.dead`), 'listening')
  await link(`${path}.dead`, path)
  dead.close()
  const starting = Array.from({ length: 8 }, () => listenAt(path))
  const states = (await Promise.allSettled(starting)).map(({ status }) => status)
  expect(states.filter(status => status === 'fulfilled')).toHaveLength(1)
  expect(String(await once(connect(path), 'data'))).toBe('proxy')
})

test('a socket in a folder that is missing', async () => {
  const path = join(await newFolder(), 'gone', 's')
  await expect(listenAt(path)).rejects.toMatchObject({
    exitCode: 1,
    message: `cannot listen at ${path} (EACCES): is its folder there, and may it be written to?`,
  })
})

test('a socket that answers is left alone', async () => {
  const path = join(await newFolder(), 's')
  const other = createServer(socket => void socket.on('error', () => {}).end('other'))
  await once(other.listen(path), 'listening')
  onTestFinished(() => void other.close())
  await expect(listenAt(path)).rejects.toMatchObject({
    exitCode: 1,
    message: `another program, such as a proxy that runs already, listens at ${path}: end it, or give --socket-dir or DATABASE:PORT`,
  })
  expect(String(await once(connect(path), 'data'))).toBe('other')
})

test('a file that is no socket is left alone', async () => {
  const path = join(await newFolder(), 's')
  await writeFile(path, 'precious')
  await expect(listenAt(path)).rejects.toThrow(`${path} is there, and is no socket`)
  expect((await lstat(path)).size).toBe(8)
})

test('a port that is taken', async () => {
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void other.close())
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await expect(listenLocally({ port }, () => {})).rejects.toMatchObject({
    exitCode: 1,
    message: `another program listens at 127.0.0.1:${port}: end it, or give another port`,
  })
})

test('the socket is removed at the end', async () => {
  const folder = await newFolder()
  const server = await listenAt(join(folder, 's'))
  server.close()
  await expect.poll(() => readdir(folder)).toEqual([])
})

test('names are those that clients look for, and not longer than systems take', () => {
  const token = { engine: 'postgres', port: 5432 }
  const at = (folder: string, engine = 'postgres') =>
    localAddress({ name: 'orders', listen: { folder } }, { ...token, engine })
  expect(at('/run/x').path).toBe('/run/x/.s.PGSQL.5432')
  expect(at('/run/x', 'mariadb').path).toBe('/run/x/mysql.5432.sock')
  const room = 107 - '/.s.PGSQL.5432'.length
  expect(Buffer.byteLength(at(`/${'x'.repeat(room - 1)}`).path ?? '')).toBe(107)
  expect(() => at(`/${'x'.repeat(room)}`)).toThrow(
    "108 bytes long, and a socket's path may have 107: give --socket-dir",
  )
})

test('several databases share a folder by their ports, and loopback has a port for each', async () => {
  const server = await startToyServer()
  const folder = await newFolder()
  const both = { requestToken: async () => toyReply(server.port) }
  await expect(
    startToyProxy(server.port, {
      ...both,
      databases: [
        { name: 'orders', listen: { folder } },
        { name: 'ledger', listen: { folder } },
      ],
    }),
  ).rejects.toMatchObject({
    exitCode: 2,
    message: `orders and ledger would both be at ${folder}/.s.PGSQL.5432: give one of them another port, as in ledger:5433`,
  })
  const { proxy } = await startToyProxy(server.port, {
    ...both,
    databases: [
      { name: 'orders', listen: { folder } },
      { name: 'ledger', listen: { folder, port: 5433 } },
      { name: 'events', listen: { loopbackPort: 0 } },
    ],
  })
  const [orders, ledger, events] = proxy.listening
  expect([orders?.socket, ledger?.socket]).toEqual([`${folder}/.s.PGSQL.5432`, `${folder}/.s.PGSQL.5433`])
  const client = connect(events?.port ?? 0, '127.0.0.1')
  client.write('hello\n')
  expect(await readLine(client)).toBe('welcome 127.0.0.1')
  client.destroy()
})

test('if one of several cannot be listened at, none is', async () => {
  const server = await startToyServer()
  const folder = await newFolder()
  await writeFile(join(folder, '.s.PGSQL.5433'), '')
  const databases = [
    { name: 'orders', listen: { folder } },
    { name: 'ledger', listen: { folder, port: 5433 } },
  ]
  await expect(startToyProxy(server.port, { databases })).rejects.toThrow('is no socket')
  await expect.poll(() => readdir(folder)).toEqual(['.s.PGSQL.5433'])
})
