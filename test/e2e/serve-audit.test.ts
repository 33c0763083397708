import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readDegraded } from '../support/service/fleet-observations.ts'
import { runCli } from '../support/service/jeton.ts'
import { CLAIMS } from '../support/service/test-environment.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer, auditFile, auditRecords } = useServers()

describe('the audit log', () => {
  test('has the record before the caller has the token, and continues its chain after kill -9', async () => {
    const jeton = await startServer()
    const { body } = await jeton.requestToken(await bearer(), { database: 'orders' })
    jeton.process.kill('SIGKILL')
    await jeton.ended
    expect((await auditRecords()).find(({ id }) => id === body.auditId)).toMatchObject({
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
    const restarted = await startServer()
    await restarted.requestToken(await bearer(), { database: 'orders' })
    expect((await runCli(['audit', 'verify', auditFile()])).code).toBe(0)
  })

  test('cannot be opened by a second process', async () => {
    await startServer()
    await expect(startServer()).rejects.toThrow(/audit\.jsonl/)
  })

  test('that cannot be written vends nothing until it can be written again, without a restart', async () => {
    const jeton = await startServer(
      { audit: [{ type: 'file', path: 'logs/audit.jsonl' }] },
      { folder: await folderWith('logs') },
    )
    const jwt = await bearer()
    expect((await jeton.requestToken(jwt, { database: 'orders' })).status).toBe(200)
    await rename(join(environment().folder, 'logs'), join(environment().folder, 'gone'))
    const { status, body, headers } = await jeton.requestToken(jwt, { database: 'orders' })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await readDegraded(jeton)).toEqual(['log'])
    await rename(join(environment().folder, 'gone'), join(environment().folder, 'logs'))
    await expect.poll(async () => (await jeton.requestToken(jwt, { database: 'orders' })).status).toBe(200)
  })

  async function folderWith(name: string): Promise<string> {
    await mkdir(join(environment().folder, name))
    return environment().folder
  }

  test('on stdout is JSON lines, after the one that says where the server listens', async () => {
    const jeton = await startServer({ audit: [{ type: 'stdout' }] })
    await jeton.requestToken(await bearer(), { database: 'orders' })
    await jeton.requestToken('Bearer x', { database: 'orders' })
    await expect.poll(() => jeton.stdout.length).toBe(3)
    const written = jeton.stdout.map(line => JSON.parse(line))
    expect(written.map(({ decision, code }) => [decision, code])).toEqual([
      [undefined, undefined],
      ['vended', undefined],
      ['refused', 'unauthenticated'],
    ])
  })
})
