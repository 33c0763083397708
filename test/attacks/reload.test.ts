import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openConnection } from '../support/raw-http/connection.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment } from '../support/service/test-environment.ts'

/** A caller whose grant is taken away, or who may send signals to a real server. */
async function startServer() {
  const environment = await startTestEnvironment()
  onTestFinished(() => environment.close())
  const server = await startJeton({
    config: environment.config({ audit: [{ type: 'stdout' }] }),
    env: environment.serverEnv,
    folder: environment.folder,
  })
  onTestFinished(() => server.close())
  const authorization = `Bearer ${await environment.issuer.sign(CLAIMS)}`
  const decisions = () =>
    server.stdout.map(line => JSON.parse(line) as { type: string; decision?: string; code?: string })
  return { environment, server, authorization, decisions }
}

async function reload(server: Jeton, config: object): Promise<void> {
  await server.configure(config)
  server.process.kill('SIGHUP')
  await server.logged('configuration_reloaded')
}

const portOf = ({ url }: Jeton) => Number(new URL(url).port)
const BODY = '{"database":"orders"}'
const headOf = (authorization: string) =>
  `POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`

test.each([
  ['whose grant is gone', { grants: [] }],
  ['whose issuer is gone', { issuers: {}, grants: [] }],
  [
    'whose user is no longer granted',
    {
      grants: [
        { name: 'other', principal: { issuer: 'ci', claims: CLAIMS }, database: 'orders', users: ['app_ro'] },
      ],
    },
  ],
])('a request that was held open since before a reload, %s, gets no token', async (_name, sections) => {
  const { environment, server, authorization, decisions } = await startServer()
  const connection = await openConnection(portOf(server))
  connection.send(Buffer.from(headOf(authorization)))
  // the server has read the head when it answers what was sent after it
  await fetch(`${server.url}/healthz`)
  await reload(server, environment.config({ audit: [{ type: 'stdout' }], ...sections }))
  const reply = await connection.exchange(Buffer.from(BODY), { isHead: false })
  connection.close()
  // a user that was not named is another one now
  if (reply?.status === 200) expect(JSON.parse(String(reply.body))).toMatchObject({ user: 'app_ro' })
  else expect([401, 403]).toContain(reply?.status)
  await expect.poll(() => decisions().filter(({ decision }) => decision !== undefined).length).toBe(1)
})

test('a cached JWT of an issuer that was removed is refused at once', async () => {
  const { environment, server, authorization } = await startServer()
  expect((await server.requestToken(authorization, { database: 'orders' })).status).toBe(200)
  await reload(server, environment.config({ issuers: {}, grants: [], audit: [{ type: 'stdout' }] }))
  expect(await server.requestToken(authorization, { database: 'orders' })).toMatchObject({ status: 401 })
})

test('a configuration that somebody broke takes nothing away and gives nothing', async () => {
  const { server, authorization } = await startServer()
  await server.configure({ grants: '*' })
  server.process.kill('SIGHUP')
  await server.logged('configuration_broken')
  expect((await server.requestToken(authorization, { database: 'orders' })).status).toBe(200)
})

test('SIGUSR1 does not open a debugger, and does not end the server', async () => {
  const { server, authorization } = await startServer()
  server.process.kill('SIGUSR1')
  expect((await server.requestToken(authorization, { database: 'orders' })).status).toBe(200)
  expect(server.stderr.join('\n')).not.toMatch(/debugger|inspector/i)
  const inspector = connect({ port: 9229, host: '127.0.0.1' })
  onTestFinished(() => void inspector.destroy())
  const [error] = await once(inspector, 'error')
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
})

test('what the rules were is in the chain: start, reload with the names of what changed, stop', async () => {
  const { environment, server, decisions } = await startServer()
  const config = environment.config({ audit: [{ type: 'stdout' }] }) as { grants: { name: string }[] }
  await reload(server, { ...config, grants: config.grants.filter(({ name }) => name !== 'ledger-deploy') })
  server.process.kill('SIGTERM')
  await server.ended
  const records = decisions().filter(({ type }) => type !== 'jeton.audit')
  expect(records.length).toBeGreaterThanOrEqual(3)
  const texts = records.map(record => JSON.stringify(record))
  const hashes = texts.map(text => /[0-9a-f]{64}/.exec(text)?.[0])
  expect(hashes[0]).toBeDefined()
  expect(hashes[1]).not.toBe(hashes[0])
  expect(texts[1]).toContain('ledger-deploy')
  expect(texts[1]).not.toContain('orders-deploy')
  expect(records.at(-1)?.type).toBe('jeton.audit.stopped')
  expect(hashes.at(-1)).toBe(hashes[1])
})
