import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import type { DaemonHealth } from '../../../src/client/daemon/daemon-health.ts'
import { type HealthServer, startHealthServer } from '../../../src/client/daemon/health-server.ts'

const servers: HealthServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function start(health: Partial<DaemonHealth> = {}): Promise<HealthServer> {
  const whole = { problem: () => undefined, metrics: () => [], ...health }
  const server = await startHealthServer({ host: '127.0.0.1', port: 0 }, whole)
  servers.push(server)
  return server
}

test('says that it is alive and ready', async () => {
  const { url } = await start()
  const alive = await fetch(`${url}/healthz`)
  expect([alive.status, await alive.json(), alive.headers.get('cache-control')]).toEqual([
    200,
    { status: 'ok' },
    'no-store',
  ])
  const ready = await fetch(`${url}/readyz?verbose`)
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }])
})

test('says why it is not ready, and lives on', async () => {
  const { url } = await start({ problem: () => 'no token for "orders"' })
  const ready = await fetch(`${url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', problem: 'no token for "orders"' },
  ])
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('has metrics that Prometheus can read, whatever is in a label', async () => {
  const { url } = await start({
    metrics: () => [
      {
        name: 'jeton_sessions',
        help: 'Open\nsessions',
        type: 'gauge',
        samples: [{ labels: { database: 'a"b\\c\nd' }, value: 2 }, { value: 3 }],
      },
    ],
  })
  const reply = await fetch(`${url}/metrics`)
  expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await reply.text()).toBe(
    '# HELP jeton_sessions Open\\nsessions\n# TYPE jeton_sessions gauge\njeton_sessions{database="a\\"b\\\\c\\nd"} 2\njeton_sessions 3\n',
  )
})

test('answers nothing else', async () => {
  const { url } = await start()
  expect((await fetch(`${url}/`)).status).toBe(404)
  const posted = await fetch(`${url}/healthz`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('a header that is too long is refused', async () => {
  const { url } = await start()
  expect((await fetch(`${url}/healthz`, { headers: { x: 'x'.repeat(9000) } })).status).toBe(431)
})

test('says which option names a port that is taken', async () => {
  const port = Number(new URL((await start()).url).port)
  await expect(
    startHealthServer({ host: '127.0.0.1', port }, { problem: () => undefined, metrics: () => [] }),
  ).rejects.toMatchObject({
    exitCode: 1,
    message: `--health 127.0.0.1:${port}: another program listens there: give --health another port`,
  })
})

test('the fifty-first connection is refused', async () => {
  const port = Number(new URL((await start()).url).port)
  const sockets = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    }),
  )
  const late = connect(port, '127.0.0.1').resume()
  late.on('error', () => {})
  await once(late, 'close')
  for (const socket of sockets) socket.destroy()
})

test('keeps no process alive, not even with a connection open', async () => {
  const module = new URL('../../../src/client/daemon/health-server.ts', import.meta.url)
  const code = `
    const { startHealthServer } = await import(${JSON.stringify(module.href)})
    const { url } = await startHealthServer({ host: '127.0.0.1', port: 0 }, { problem() {}, metrics: () => [] })
    const net = await import('node:net')
    const socket = net.connect(new URL(url).port, '127.0.0.1')
    await new Promise(resolve => socket.once('connect', resolve))
    socket.unref()
    console.log('over')`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    code,
  ])
  expect(stdout).toBe('over\n')
})
