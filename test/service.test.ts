import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { Registry } from 'prom-client'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { newApiKey } from '../src/authentication/api-key.ts'
import type { Config } from '../src/config/config.ts'
import { createAuthority } from '../src/dev/postgres/certificate-authority.ts'
import { createService, type Service, type ServiceOptions } from '../src/service.ts'
import { ORDERS } from './support/databases/orders.ts'
import { startIssuer } from './support/oidc/issuer.ts'
import { createLogRecorder } from './support/service/log-recorder.ts'

const GRANT = {
  name: 'orders-deploy',
  principal: { issuer: 'github', subject: 'someone' },
  database: 'orders',
  users: ['migrator'],
}
const CONFIG: Config = {
  server: { host: '127.0.0.1', port: 0 },
  issuers: [],
  apiKeys: {},
  databases: [ORDERS],
  grants: [],
  store: { type: 'memory' },
  audit: [{ type: 'stdout' }],
  origin: { sha256: '', files: {} },
}

let service: Service | undefined
afterEach(async () => {
  await service?.close()
  service = undefined
})

async function start(config: Config, options: Partial<ServiceOptions> = {}) {
  const stdout = new PassThrough()
  service = await createService(config, { log: createLogRecorder(), stdout, instance: 'test/1', ...options })
  const records = (): { code?: string; instance: string }[] =>
    String(stdout.read() ?? '')
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line))
  return { service, records }
}

test('createService connects the app to the audit log: drain resolves when a refusal is written', async () => {
  const { service, records } = await start(CONFIG)
  const { statusCode } = await service.app.inject({ url: '/v1/databases' })
  await service.drain()
  expect(statusCode).toBe(401)
  expect(records()).toMatchObject([{ code: 'unauthenticated', instance: 'test/1' }])
})

test('createService rejects if an audit sink cannot be opened', async () => {
  const audit = [{ type: 'file', path: '/nonexistent/audit.jsonl' }] as const
  await expect(start({ ...CONFIG, audit })).rejects.toThrow()
})

test('createService counts requests in the registry that it is given', async () => {
  const registry = new Registry()
  const { service } = await start(CONFIG, { registry })
  await service.app.inject({ url: '/v1/databases' })
  expect(await registry.metrics()).toContain('decision="refused",code="unauthenticated"')
})

test('readings follow a certificate that is renewed, and a reload that is refused', async () => {
  const authority = createAuthority()
  const issue = (days: number) => {
    const expiresAt = Math.floor(Date.now() / 1000) * 1000 + days * 86_400_000
    const { certPem: cert, keyPem: key } = authority.issue(['127.0.0.1'], { expiresAt })
    return { tls: { cert, key }, expiresAt }
  }
  const [first, second] = [issue(20), issue(40)]
  const { service } = await start({ ...CONFIG, server: { ...CONFIG.server, tls: first.tls } })
  const certificates = () => service.readings.expiries().filter(({ kind }) => kind === 'certificate')
  const ofServer = { of: 'server', kind: 'certificate' }
  expect(certificates()).toEqual([{ ...ofServer, notAfter: first.expiresAt }])
  service.noteRefusedReload()
  expect(service.readings.configuration().lastReload?.isOk).toBe(false)
  service.reload({ ...CONFIG, server: { ...CONFIG.server, tls: second.tls } })
  expect(service.readings.configuration().lastReload?.isOk).toBe(true)
  expect(certificates()).toEqual([{ ...ofServer, notAfter: second.expiresAt }])
  // TLS is switched off at the next start only, so the certificate is served until then
  service.reload(CONFIG)
  expect(certificates()).toEqual([{ ...ofServer, notAfter: second.expiresAt }])
})

test('a service without TLS has no certificate, and reads the fleet anew when it is asked to', async () => {
  const { service } = await start(CONFIG)
  expect(service.readings.expiries()).toMatchObject([{ of: 'us-east-1', kind: 'ca-bundle' }])
  expect(service.readings.rates()[0]?.fleet).toBeUndefined()
  await service.refreshFleetSlots()
  expect(service.readings.rates()[0]?.fleet).toMatchObject({ reserved: 0, free: 77 })
})

test('reload replaces issuers and grants for the next request', async () => {
  const issuer = await startIssuer()
  const authorization = `Bearer ${await issuer.sign({ sub: 'someone' })}`
  const github = { name: 'github', issuer: issuer.url, audience: 'jeton', jwks: issuer.jwks() }
  await issuer.close()
  const { service } = await start(CONFIG)
  const databases = async () =>
    (await service.app.inject({ url: '/v1/databases', headers: { authorization } })).json()
  expect(await databases()).toMatchObject({ code: 'unauthenticated' })
  service.reload({ ...CONFIG, issuers: [github] })
  expect(await databases()).toEqual({ databases: [] })
  service.reload({ ...CONFIG, issuers: [github], grants: [GRANT] })
  expect(await databases()).toMatchObject({ databases: [{ database: 'orders', users: ['migrator'] }] })
})

test("a service closes at once after its last reply, even if the machine's clock is put back meanwhile", async () => {
  const { key, sha256 } = newApiKey()
  const { service } = await start({ ...CONFIG, apiKeys: { someone: [sha256] } })
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const body = '{"database":"orders"}'
  // a request that waits for its body when the close begins, so that its connection is kept alive after the reply
  const isRouted = once(service.app.server, 'request')
  socket.write(
    `POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  await isRouted
  const closing = service.close()
  const realNow = Date.now
  const now = vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 300_000)
  onTestFinished(() => now.mockRestore())
  socket.write(body)
  const [reply] = await once(socket, 'data')
  expect(String(reply)).toMatch(/^HTTP\/1.1 403 [\s\S]*keep-alive/i)
  // a connection that is kept alive would hold the close up for 72 s
  await closing
}, 10_000)
