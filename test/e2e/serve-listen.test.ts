import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { runCli } from '../support/service/jeton.ts'
import { CLAIMS } from '../support/service/test-environment.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer } = useServers()

describe('jeton serve listens', () => {
  test('with TLS 1.3, and refuses TLS 1.1', async () => {
    const { certPem, keyPem } = environment().authority.issue(['127.0.0.1'])
    await writeFile(join(environment().folder, 'server.pem'), certPem)
    await writeFile(join(environment().folder, 'server-key.pem'), keyPem)
    const jeton = await startServer({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    expect(jeton.url).toMatch(/^https:/)
    const env = { JETON_URL: jeton.url, JETON_JWT: await environment().issuer.sign(CLAIMS) }
    const trusted = await runCli(['token', 'orders'], {
      env: { ...env, NODE_EXTRA_CA_CERTS: environment().caFile },
    })
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
        ca: environment().authority.caPem,
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

  test('outside loopback only with TLS or a proxy', async () => {
    await expect(startServer({}, { args: ['--host', '0.0.0.0'] })).rejects.toThrow(/server\.host: .*loopback/)
    const jeton = await startServer({ server: { behindProxy: 1 } }, { args: ['--host', '0.0.0.0'] })
    const response = await fetch(`${jeton.url.replace('0.0.0.0', '127.0.0.1')}/healthz`)
    expect(response.status).toBe(200)
  })

  test('on no port that is taken: it says why and exits 1', async () => {
    const jeton = await startServer()
    const takenPort = new URL(jeton.url).port
    await writeFile(
      join(environment().folder, 'other.json'),
      JSON.stringify(environment().config({ audit: [{ type: 'stdout' }] })),
    )
    const ran = await runCli(
      ['serve', '--config', join(environment().folder, 'other.json'), '--port', takenPort],
      {
        env: environment().serverEnv,
      },
    )
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(
      /^jeton: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): another program .*server\.port/m,
    )
  })

  test('on no port if the admin port is taken', async () => {
    const jeton = await startServer()
    const admin = { port: Number(new URL(jeton.url).port) }
    const config = environment().config({ server: { admin }, audit: [{ type: 'file', path: 'other.jsonl' }] })
    await writeFile(join(environment().folder, 'other.json'), JSON.stringify(config))
    const args = ['serve', '--config', join(environment().folder, 'other.json'), '--port', '0']
    const ran = await runCli(args, { env: environment().serverEnv })
    expect([ran.code, ran.stdout]).toEqual([1, ''])
    expect(ran.stderr).toMatch(
      /^jeton: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): another program .*server\.port/m,
    )
  })

  test('with a renewed certificate after SIGHUP', async () => {
    const issue = async () => {
      const { certPem, keyPem } = environment().authority.issue(['127.0.0.1'])
      await writeFile(join(environment().folder, 'server.pem'), certPem)
      await writeFile(join(environment().folder, 'server-key.pem'), keyPem)
      return new X509Certificate(certPem).serialNumber
    }
    const first = await issue()
    const jeton = await startServer({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    const port = Number(new URL(jeton.url).port)
    expect(await serialOf(port)).toBe(first)
    const second = await issue()
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(await serialOf(port)).toBe(second)
    expect(jeton.stderr.join('')).not.toContain('restart_needed')
  })

  test('with the old certificate if the new one would fail each connection', async () => {
    const files = async ({ certPem, keyPem }: { certPem: string; keyPem: string }) => {
      await writeFile(join(environment().folder, 'server.pem'), certPem)
      await writeFile(join(environment().folder, 'server-key.pem'), keyPem)
    }
    const { authority } = environment()
    const first = authority.issue(['127.0.0.1'])
    const ofRsa = authority.issue(['127.0.0.1'], { key: generateKeyPairSync('rsa', { modulusLength: 2048 }) })
    const expired = authority.issue(['127.0.0.1'], { expiresAt: Date.now() - 60_000 })
    await files(first)
    const jeton = await startServer({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    const port = Number(new URL(jeton.url).port)
    for (const [broken, why] of [
      [{ certPem: ofRsa.certPem, keyPem: first.keyPem }, 'for a key of type rsa, and this is ec'],
      [expired, 'names a certificate that expired on'],
    ] as const) {
      await files(broken)
      jeton.process.kill('SIGHUP')
      expect(await jeton.logged(why)).toContain('configuration_broken')
      expect(await serialOf(port)).toBe(new X509Certificate(first.certPem).serialNumber)
    }
  })

  test('with a certificate that has expired, which it says: callers may not look at it', async () => {
    const { certPem, keyPem } = environment().authority.issue(['127.0.0.1'], {
      expiresAt: Date.now() - 60_000,
    })
    await writeFile(join(environment().folder, 'server.pem'), certPem)
    await writeFile(join(environment().folder, 'server-key.pem'), keyPem)
    const jeton = await startServer({ server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } })
    expect(await jeton.logged('configuration_doubtful')).toContain('names a certificate that expired on')
    await expect(serialOf(Number(new URL(jeton.url).port))).rejects.toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    })
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
  })

  function serialOf(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', ca: environment().authority.caPem })
      socket.once('error', reject).once('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
    })
  }

  test('for /metrics on the admin port only', async () => {
    const jeton = await startServer({ server: { admin: { port: 0 } } })
    await jeton.requestToken(await bearer(), { database: 'orders' })
    await jeton.requestToken(await bearer({ ref: 'refs/heads/x' }), { database: 'orders' })
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
