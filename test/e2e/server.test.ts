import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Jeton, type JetonOptions, runCli, startJeton } from '../support/service/jeton.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'

const CLAIMS = { repository: 'acme/orders', ref: 'refs/heads/main' }

let stage: Stage
let servers: Jeton[]

beforeEach(async () => {
  stage = await setStage()
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.close()
  await stage.close()
})

async function start(config: object = {}, options: Partial<JetonOptions> = {}): Promise<Jeton> {
  const server = await startJeton({
    config: stage.config(config),
    env: stage.env,
    folder: stage.folder,
    ...options,
  })
  servers.push(server)
  return server
}

const bearer = async (claims: object = {}) => `Bearer ${await stage.issuer.sign({ ...CLAIMS, ...claims })}`
const auditFile = () => join(stage.folder, 'audit.jsonl')
const records = async () =>
  (await readFile(auditFile(), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

describe('SIGHUP', () => {
  test('reads the configuration again: what a grant no longer allows is refused at once', async () => {
    const jeton = await start()
    const jwt = await bearer()
    const before = await jeton.ask(jwt, { database: 'orders' })
    expect(before.status).toBe(200)
    await jeton.configure(stage.config({ grants: [] }))
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.ask(jwt, { database: 'orders' })).body.code).toBe('access_denied')
    await jeton.configure(stage.config())
    jeton.process.kill('SIGHUP')
    await expect.poll(async () => (await jeton.ask(jwt, { database: 'orders' })).status).toBe(200)
    // the book lives on
    expect((await jeton.ask(jwt, { database: 'orders' })).body.token).toBe(before.body.token)
    expect(stage.sts.calls).toHaveLength(1)
  })

  test('changes where callers are told to dial, with the token that they share', async () => {
    const jeton = await start()
    const jwt = await bearer()
    const before = await jeton.ask(jwt, { database: 'orders' })
    const config = stage.config() as { databases: { orders: object } }
    config.databases.orders = {
      ...config.databases.orders,
      dbname: 'elsewhere',
      connect: 'tunnel.example:15432',
    }
    await jeton.configure(config)
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    const after = await jeton.ask(jwt, { database: 'orders' })
    expect(after.body).toMatchObject({
      token: before.body.token,
      dbname: 'elsewhere',
      connect: 'tunnel.example:15432',
    })
  })

  test('forgets a role that failed and is configured no more', async () => {
    const jeton = await start()
    const ready = async () =>
      ((await (await fetch(`${jeton.url}/readyz`)).json()) as { degraded: string[] }).degraded
    stage.sts.faults.deniedRoles.add('arn:aws:iam::123456789012:role/jeton-orders')
    await jeton.ask(await bearer(), { database: 'orders' })
    expect(await ready()).toEqual(['sts'])
    const config = stage.config() as { databases: { orders: object } }
    config.databases.orders = { ...config.databases.orders, roleArn: 'arn:aws:iam::123456789012:role/other' }
    await jeton.configure(config)
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(await ready()).toEqual([])
  })

  test('with a broken configuration changes nothing and says what is wrong', async () => {
    const jeton = await start()
    await writeFile(jeton.configFile, JSON.stringify(stage.config({ databases: {} })))
    jeton.process.kill('SIGHUP')
    expect(await jeton.logged('configuration_broken')).toContain('grants[0].database')
    expect((await jeton.ask(await bearer(), { database: 'orders' })).status).toBe(200)
  })

  test('keeps the keys of an issuer that is down just then', async () => {
    const jeton = await start()
    expect((await jeton.ask(await bearer(), { database: 'orders' })).status).toBe(200)
    stage.issuer.fault = 'down'
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.ask(await bearer({ jti: 'new' }), { database: 'orders' })).status).toBe(200)
  })
})

describe('SIGTERM', () => {
  test('finishes what is in flight, states the head of the log, and exits 0', async () => {
    const jeton = await start()
    stage.sts.faults.delayMs = 500
    const asked = jeton.ask(await bearer(), { database: 'orders' })
    await expect.poll(() => stage.sts.requests()).toBe(1)
    jeton.process.kill('SIGTERM')
    expect((await asked).status).toBe(200)
    expect(await jeton.ended).toBe(0)
    const last = JSON.parse(await jeton.logged('the audit log ends')).last
    const verified = await runCli(['audit', 'verify', auditFile(), '--expect-last', last])
    expect(verified).toMatchObject({ code: 0 })
  })

  test('a tail cut off shows against the head that was stated', async () => {
    const jeton = await start()
    const jwt = await bearer()
    for (let i = 0; i < 3; i++) await jeton.ask(jwt, { database: 'orders' })
    jeton.process.kill('SIGTERM')
    await jeton.ended
    const last = JSON.parse(await jeton.logged('the audit log ends')).last
    const lines = (await readFile(auditFile(), 'utf8')).trimEnd().split('\n')
    await writeFile(auditFile(), `${lines.slice(0, -1).join('\n')}\n`)
    expect((await runCli(['audit', 'verify', auditFile()])).code).toBe(0)
    expect((await runCli(['audit', 'verify', auditFile(), '--expect-last', last])).code).toBe(1)
  })
})

describe('the audit log', () => {
  test('has the record before the caller has the token, and goes on after kill -9', async () => {
    const jeton = await start()
    const { body } = await jeton.ask(await bearer(), { database: 'orders' })
    jeton.process.kill('SIGKILL')
    await jeton.ended
    expect((await records()).find(({ id }) => id === body.auditId)).toMatchObject({
      type: 'jeton.audit',
      v: 1,
      decision: 'vended',
      database: 'orders',
      user: 'migrator',
      grant: 'orders-deploy',
      fingerprint: body.fingerprint,
      identity: body.identity,
      principal: { issuer: 'ci', claims: CLAIMS },
      cached: false,
      sourceIp: '127.0.0.1',
    })
    const again = await start()
    await again.ask(await bearer(), { database: 'orders' })
    expect((await runCli(['audit', 'verify', auditFile()])).code).toBe(0)
  })

  test('of one process is not written by another', async () => {
    await start()
    await expect(start()).rejects.toThrow(/audit\.jsonl/)
  })

  test('that cannot be written vends nothing; that can be again, without a restart', async () => {
    const jeton = await start(
      { audit: [{ type: 'file', path: 'logs/audit.jsonl' }] },
      { folder: await folderWith('logs') },
    )
    const jwt = await bearer()
    expect((await jeton.ask(jwt, { database: 'orders' })).status).toBe(200)
    const { rename } = await import('node:fs/promises')
    await rename(join(stage.folder, 'logs'), join(stage.folder, 'gone'))
    const { status, body, headers } = await jeton.ask(jwt, { database: 'orders' })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    const ready = (await (await fetch(`${jeton.url}/readyz`)).json()) as { degraded: string[] }
    expect(ready.degraded).toEqual(['log'])
    await rename(join(stage.folder, 'gone'), join(stage.folder, 'logs'))
    await expect.poll(async () => (await jeton.ask(jwt, { database: 'orders' })).status).toBe(200)
  })

  async function folderWith(name: string): Promise<string> {
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(stage.folder, name))
    return stage.folder
  }

  test('on stdout is lines of JSON, after the one that says where it listens', async () => {
    const jeton = await start({ audit: [{ type: 'stdout' }] })
    await jeton.ask(await bearer(), { database: 'orders' })
    await jeton.ask('Bearer x', { database: 'orders' })
    await expect.poll(() => jeton.stdout.length).toBe(2)
    const written = jeton.stdout.map(line => JSON.parse(line))
    expect(written.map(({ decision, code }) => [decision, code])).toEqual([
      ['vended', undefined],
      ['refused', 'unauthenticated'],
    ])
  })
})

describe('listening', () => {
  test('with TLS', async () => {
    const { certPem, keyPem } = stage.authority.issue(['127.0.0.1'])
    await writeFile(join(stage.folder, 'server.pem'), certPem)
    await writeFile(join(stage.folder, 'server-key.pem'), keyPem)
    const jeton = await start({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    expect(jeton.url).toMatch(/^https:/)
    const env = { JETON_URL: jeton.url, JETON_JWT: await stage.issuer.sign(CLAIMS) }
    const trusted = await runCli(['token', 'orders'], { env: { ...env, NODE_EXTRA_CA_CERTS: stage.caFile } })
    expect([trusted.code, trusted.stderr]).toEqual([0, ''])
    const untrusted = await runCli(['token', 'orders'], { env })
    expect([untrusted.code, untrusted.stdout]).toEqual([1, ''])
    const { port } = new URL(jeton.url)
    await expect(handshake(Number(port), 'TLSv1.1')).rejects.toThrow()
    expect(await handshake(Number(port), 'TLSv1.3')).toBe('TLSv1.3')
  })

  function handshake(port: number, version: 'TLSv1.1' | 'TLSv1.3'): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const versions = { minVersion: version, maxVersion: version } as const
      const socket = tlsConnect({
        port,
        host: '127.0.0.1',
        ca: stage.authority.caPem,
        ciphers: 'ALL:@SECLEVEL=0',
        ...versions,
      })
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.once('error', reject)
    })
  }

  test('off loopback is refused without TLS or a proxy', async () => {
    await expect(start({}, { args: ['--host', '0.0.0.0'] })).rejects.toThrow(/server\.host: is not loopback/)
    const jeton = await start({ server: { behindProxy: 1 } }, { args: ['--host', '0.0.0.0'] })
    const response = await fetch(`${jeton.url.replace('0.0.0.0', '127.0.0.1')}/healthz`)
    expect(response.status).toBe(200)
  })

  test('on a port that is taken fails with the reason and exit 1', async () => {
    const jeton = await start()
    const taken = new URL(jeton.url).port
    await writeFile(
      join(stage.folder, 'other.json'),
      JSON.stringify(stage.config({ audit: [{ type: 'stdout' }] })),
    )
    const ran = await runCli(['serve', '--config', join(stage.folder, 'other.json'), '--port', taken], {
      env: stage.env,
    })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('EADDRINUSE')
  })

  test('where the port for metrics is taken fails too, and leaves nothing behind', async () => {
    const jeton = await start()
    const admin = { port: Number(new URL(jeton.url).port) }
    const config = stage.config({ server: { admin }, audit: [{ type: 'file', path: 'other.jsonl' }] })
    await writeFile(join(stage.folder, 'other.json'), JSON.stringify(config))
    const args = ['serve', '--config', join(stage.folder, 'other.json'), '--port', '0']
    const ran = await runCli(args, { env: stage.env })
    expect([ran.code, ran.stdout]).toEqual([1, ''])
    expect(ran.stderr).toContain('EADDRINUSE')
  })

  test('with a certificate that was renewed, from SIGHUP on', async () => {
    const issue = async () => {
      const { certPem, keyPem } = stage.authority.issue(['127.0.0.1'])
      await writeFile(join(stage.folder, 'server.pem'), certPem)
      await writeFile(join(stage.folder, 'server-key.pem'), keyPem)
      return new X509Certificate(certPem).serialNumber
    }
    const first = await issue()
    const jeton = await start({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    const port = Number(new URL(jeton.url).port)
    expect(await serialOf(port)).toBe(first)
    const second = await issue()
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(await serialOf(port)).toBe(second)
    expect(jeton.stderr.join('')).not.toContain('next start')
  })

  function serialOf(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', ca: stage.authority.caPem })
      socket.once('error', reject).once('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
    })
  }

  test('for metrics apart from callers', async () => {
    const jeton = await start({ server: { admin: { port: 0 } } })
    await jeton.ask(await bearer(), { database: 'orders' })
    await jeton.ask(await bearer({ ref: 'refs/heads/x' }), { database: 'orders' })
    const metrics = await (await fetch(`${jeton.admin}/metrics`)).text()
    expect(metrics).toContain(
      'jeton_decisions_total{decision="vended",code="",database="orders",cached="false"} 1',
    )
    expect(metrics).toContain(
      'jeton_decisions_total{decision="refused",code="access_denied",database="",cached=""} 1',
    )
    expect(metrics).toContain('jeton_tokens_minted_total{database="orders"} 1')
    expect((await fetch(`${jeton.url}/metrics`)).status).toBe(404)
  })
})

describe('faults of AWS', () => {
  test('are told apart: a role that is refused from an STS that is out of reach', async () => {
    const jeton = await start()
    const jwt = await bearer()
    stage.sts.faults.deniedRoles.add('arn:aws:iam::123456789012:role/jeton-orders')
    const refused = await jeton.ask(jwt, { database: 'orders' })
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      502,
      'role_refused',
      null,
    ])
    stage.sts.faults.deniedRoles.clear()
    stage.sts.faults.failing = true
    // the role is left alone for a second, then asked again, and once more after a longer rest
    const ask = () => jeton.ask(jwt, { database: 'orders' })
    const patience = { timeout: 15_000 }
    await expect.poll(async () => (await ask()).body.code, patience).toBe('temporarily_unavailable')
    expect((await ask()).headers.get('retry-after')).toMatch(/^\d+$/)
    stage.sts.faults.failing = false
    await expect.poll(async () => (await ask()).status, patience).toBe(200)
    const codes = async () => (await records()).map(({ decision, code = '' }) => `${decision} ${code}`)
    await expect
      .poll(async () => [...new Set(await codes())])
      .toEqual(['failed role_refused', 'failed temporarily_unavailable', 'vended '])
  })

  test('do not reach those whose token is cached', async () => {
    const jeton = await start()
    const jwt = await bearer()
    await jeton.ask(jwt, { database: 'orders' })
    stage.sts.faults.failing = true
    expect((await jeton.ask(jwt, { database: 'orders' })).body.cached).toBe(true)
  })

  test("a machine's clock that is minutes off is corrected by what STS says, and the tokens are good", async () => {
    stage.sts.faults.clockShiftMs = 4 * 60_000
    const jeton = await start()
    const { body } = await jeton.ask(await bearer(), { database: 'orders' })
    await jeton.logged('clock_corrected')
    const ahead = Date.parse(String(body.issuedAt)) - Date.now()
    expect(ahead).toBeGreaterThan(3.5 * 60_000)
  })
})

test('a thousand callers at once share one AssumeRole and one token', async () => {
  const jeton = await start()
  const jwt = await bearer()
  const answers = await Promise.all(
    Array.from({ length: 1000 }, () => jeton.ask(jwt, { database: 'orders' })),
  )
  expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
  expect(answers.filter(({ body }) => body.cached === false)).toHaveLength(1)
  expect(stage.sts.calls).toHaveLength(1)
})

test("per-principal sessions are handed out no faster than the database's pace", async () => {
  const grant = {
    name: 'each',
    principal: { issuer: 'ci', anyone: true },
    database: 'orders',
    users: ['migrator'],
    session: 'per-principal',
  }
  const jeton = await start({ grants: [grant] })
  const callers = 40
  const jwts = Array.from({ length: callers }, (_, i) => stage.issuer.sign({ sub: `job-${i}` }))
  const authorizations = (await Promise.all(jwts)).map(jwt => `Bearer ${jwt}`)
  const startedAt = performance.now()
  const answers = await Promise.all(authorizations.map(jwt => jeton.ask(jwt, { database: 'orders' })))
  const tookMs = performance.now() - startedAt
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(new Set(answers.map(({ body }) => body.identity)).size).toBe(callers)
  // 16 a second, evenly: however slow the machine, it cannot have been less
  expect(tookMs).toBeGreaterThanOrEqual(((callers - 1) * 1000) / 16)
})
