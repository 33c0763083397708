import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { useBrowser } from '../support/console/browser.ts'
import { canRun } from '../support/databases/install.ts'
import { runCli } from '../support/service/jeton.ts'
import { useServers } from './servers.ts'

const TLS = { cert: 'admin.pem', key: 'admin-key.pem' }
const nightShift = newApiKey()
const hasBrowser = await canRun(['chromium'])

describe('jeton serve with the console', () => {
  const { environment, startServer, auditRecords, bearer } = useServers()
  const browser = useBrowser()

  async function writeCertificate(): Promise<string> {
    const { certPem, keyPem } = environment().authority.issue(['127.0.0.1'])
    await writeFile(join(environment().folder, TLS.cert), certPem)
    await writeFile(join(environment().folder, TLS.key), keyPem)
    return new X509Certificate(certPem).serialNumber
  }

  const beyondLoopback = (operators: readonly object[]) => ({
    server: { admin: { host: '0.0.0.0', port: 0, console: true, tls: TLS } },
    apiKeys: { 'night-shift': { sha256: nightShift.sha256 } },
    operators,
  })
  const OPERATORS = [{ name: 'on-call', principal: { issuer: 'apiKey', subject: 'night-shift' } }]

  test('shows it on loopback, says where it is, and refuses another host', async () => {
    const jeton = await startServer({ server: { admin: { port: 0, console: true } } })
    expect(jeton.console).toBe(`${jeton.admin}/console`)
    const page = await fetch(`${jeton.admin}/`)
    expect([page.status, page.url]).toEqual([200, `${jeton.console}/databases`])
    expect(await page.text()).toContain('db-ABCDEFGHIJKLMNOPQRSTUVWXYZ')
    expect(page.headers.get('access-control-allow-origin')).toBeNull()
    expect((await fetch(`${jeton.admin}/metrics`)).headers.get('content-type')).toMatch(/^text\/plain/)
    for (const [url, status, type] of [
      [`${jeton.console}/nothing`, 404, 'text/html'],
      [`${jeton.admin}/nothing`, 404, 'application/problem+json'],
    ] as const) {
      const reply = await fetch(url)
      expect([reply.status, reply.headers.get('content-type')]).toEqual([
        status,
        expect.stringContaining(type),
      ])
    }
    const post = await fetch(`${jeton.console}/databases`, { method: 'POST' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test.runIf(hasBrowser)(
    'has a new token in an open page without a reload, and the token itself nowhere',
    async () => {
      const jeton = await startServer({ server: { admin: { port: 0, console: true } } })
      const page = await browser.open(`${jeton.console}/databases`)
      const orders = page.getByRole('region', { name: 'orders' })
      expect(await orders.innerText()).toContain('No new token in the last 5 minutes')
      await page.evaluate('globalThis.isSamePage = true')
      const { body } = await jeton.requestToken(await bearer(), { database: 'orders' })
      await orders.getByText('1 new token in the last 5 minutes').waitFor()
      const text = await orders.innerText()
      expect(text).toMatch(/Live tokens\s+1\s+this instance/)
      expect(text).toMatch(/migrator[\s\S]*in \d min[\s\S]*in 1[45] min[\s\S]*this instance/)
      expect(await page.evaluate('globalThis.isSamePage')).toBe(true)
      expect(await page.content()).not.toContain(String(body.token).slice(-40))
    },
    60_000,
  )

  test('has none of it unless it is on', async () => {
    const jeton = await startServer({ server: { admin: { port: 0 } } })
    expect(jeton.console).toBeUndefined()
    for (const path of ['/', '/console', '/console/databases', '/console/assets/console.js'])
      expect((await fetch(jeton.admin + path)).status).toBe(404)
  })

  test('lets operators alone open it beyond loopback, over TLS, until a reload revokes them', async () => {
    const first = await writeCertificate()
    const jeton = await startServer(beyondLoopback(OPERATORS))
    const port = Number(new URL(jeton.admin ?? '').port)
    const open = (path: string, authorization?: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { ...(authorization !== undefined && { authorization }) }
        const ca = environment().authority.caPem
        request({ host: '127.0.0.1', port, path, ca, headers, agent: false }, reply => {
          reply.resume().once('end', () => resolve(reply.statusCode))
        })
          .once('error', reject)
          .end()
      })
    const basic = `Basic ${Buffer.from(`me:${nightShift.key}`).toString('base64')}`
    await expect(fetch(`http://127.0.0.1:${port}/console/databases`)).rejects.toThrow()
    expect(await open('/console/databases')).toBe(401)
    expect(await open('/console/assets/console.js')).toBe(401)
    expect(await open('/metrics')).toBe(200)
    expect(await open('/console/databases', basic)).toBe(200)
    expect(await jeton.logged('console_opened')).toContain('"operator":"on-call"')

    expect(await serialOf(port)).toBe(first)
    const second = await writeCertificate()
    await jeton.configure(environment().config(beyondLoopback([])))
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(await open('/console/databases', basic)).toBe(403)
    expect(await serialOf(port)).toBe(second)
    expect(jeton.stderr.join('\n')).not.toContain('restart_needed')
    await expect
      .poll(async () => (await auditRecords()).map(({ code, reason }) => [code, reason]))
      .toEqual([
        ['unauthenticated', 'the console: no credential'],
        ['unauthenticated', 'the console: no credential'],
        ['access_denied', 'the console: no operator is of issuer apiKey'],
      ])
    expect([...jeton.stderr, ...jeton.stdout].join('\n')).not.toContain(nightShift.key)
  })

  test('does not start beyond loopback without TLS and operators, and says what to do', async () => {
    const { server, ...others } = beyondLoopback([])
    const { tls: _, ...admin } = server.admin
    const file = join(environment().folder, 'open.json')
    await writeFile(file, JSON.stringify(environment().config({ ...others, server: { admin } })))
    for (const command of ['check', 'serve']) {
      const { code, stdout, stderr } = await runCli([command, '--config', file], {
        env: environment().serverEnv,
      })
      expect([code, stdout.includes('listening')]).toEqual([1, false])
      expect(stderr).toMatch(/server\.admin\.host: is beyond loopback.* set server\.admin\.tls/)
      expect(stderr).toMatch(/server\.admin\.host: is beyond loopback.* name them in operators/)
    }
  })

  function serialOf(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ca: environment().authority.caPem })
      socket.once('error', reject).once('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
    })
  }
})
