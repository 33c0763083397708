import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readDegraded } from '../support/service/fleet-observations.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer } = useServers()

describe('SIGHUP', () => {
  test('reloads the configuration: a grant that was removed refuses at once', async () => {
    const jeton = await startServer()
    const jwt = await bearer()
    const before = await jeton.requestToken(jwt, { database: 'orders' })
    expect(before.status).toBe(200)
    await jeton.configure(environment().config({ grants: [] }))
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.requestToken(jwt, { database: 'orders' })).body.code).toBe('access_denied')
    await jeton.configure(environment().config())
    jeton.process.kill('SIGHUP')
    await expect.poll(async () => (await jeton.requestToken(jwt, { database: 'orders' })).status).toBe(200)
    // The token cache survives the reload.
    expect((await jeton.requestToken(jwt, { database: 'orders' })).body.token).toBe(before.body.token)
    expect(environment().sts.calls).toHaveLength(1)
  })

  test('changes dbname and connect in replies, and keeps the cached token', async () => {
    const jeton = await startServer()
    const jwt = await bearer()
    const before = await jeton.requestToken(jwt, { database: 'orders' })
    const config = environment().config() as { databases: { orders: object } }
    config.databases.orders = {
      ...config.databases.orders,
      dbname: 'elsewhere',
      connect: 'tunnel.example:15432',
    }
    await jeton.configure(config)
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    const after = await jeton.requestToken(jwt, { database: 'orders' })
    expect(after.body).toMatchObject({
      token: before.body.token,
      dbname: 'elsewhere',
      connect: 'tunnel.example:15432',
    })
  })

  test('ends the degraded state of a role that is no longer configured', async () => {
    const jeton = await startServer()
    environment().sts.faults.deniedRoles.add('arn:aws:iam::123456789012:role/jeton-orders')
    await jeton.requestToken(await bearer(), { database: 'orders' })
    expect(await readDegraded(jeton)).toEqual(['sts'])
    const config = environment().config() as { databases: { orders: object } }
    config.databases.orders = { ...config.databases.orders, roleArn: 'arn:aws:iam::123456789012:role/other' }
    await jeton.configure(config)
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(await readDegraded(jeton)).toEqual([])
  })

  test('keeps the old configuration if the new one is invalid, and logs what is wrong', async () => {
    const jeton = await startServer()
    await writeFile(jeton.configFile, JSON.stringify(environment().config({ databases: {} })))
    jeton.process.kill('SIGHUP')
    expect(await jeton.logged('configuration_broken')).toContain('grants[0].database')
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
  })

  test('keeps the old configuration if the new one has an issuer that strangers may use', async () => {
    const jeton = await startServer()
    const { url } = environment().issuer
    const issuers = {
      ci: { issuer: url, audience: 'jeton' },
      idp: { issuer: 'https://idp.example.com', audience: 'jeton' },
    }
    await jeton.configure(environment().config({ issuers }))
    jeton.process.kill('SIGHUP')
    expect(await jeton.logged('configuration_broken')).toContain('issuers.idp.tenancy')
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
  })

  test('says nothing of a restart if nothing changed, whatever is configured, and names the key that did', async () => {
    const { folder, authority } = environment()
    const { certPem, keyPem } = authority.issue(['127.0.0.1'])
    await writeFile(join(folder, 'server.pem'), certPem)
    await writeFile(join(folder, 'server-key.pem'), keyPem)
    await writeFile(join(folder, 'store.key'), randomBytes(32).toString('base64'))
    const server = {
      port: 0,
      tls: { cert: 'server.pem', key: 'server-key.pem' },
      admin: { port: 0 },
      connections: { max: 100, maxPerAddress: 50 },
    }
    const store = { type: 'dynamodb', table: 'jeton', encryption: { keyFile: 'store.key' } }
    const audit = [{ type: 'stdout' }, { type: 'file', path: 'audit.jsonl' }]
    const jeton = await startServer({ server, store, audit })
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect(jeton.stderr.join('\n')).not.toContain('restart_needed')
    const changed = { ...server, admin: { port: 19464 }, connections: { max: 200, maxPerAddress: 50 } }
    await jeton.configure(environment().config({ server: changed, store, audit }))
    jeton.process.kill('SIGHUP')
    expect(JSON.parse(await jeton.logged('restart_needed'))).toMatchObject({
      part: 'server',
      changes: [
        { key: 'server.connections.max', from: 100, to: 200 },
        { key: 'server.admin.port', from: 0, to: 19464 },
      ],
    })
  })

  test('names a changed server.port, and what it was', async () => {
    const jeton = await startServer({ server: { port: 0 } }, { listen: [] })
    await jeton.configure(environment().config({ server: { port: 18080 } }))
    jeton.process.kill('SIGHUP')
    const { changes } = JSON.parse(await jeton.logged('restart_needed'))
    expect(changes).toEqual([{ key: 'server.port', from: 0, to: 18080 }])
  })

  test('keeps the cached keys of an issuer that is down', async () => {
    const jeton = await startServer()
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
    environment().issuer.fault = 'down'
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.requestToken(await bearer({ jti: 'new' }), { database: 'orders' })).status).toBe(200)
  })
})

test('a server logs at its start what is doubtful in the configuration', async () => {
  const { url } = environment().issuer
  const people = { issuer: 'https://acme.us.auth0.com/', audience: 'jeton' }
  const jeton = await startServer({ issuers: { ci: { issuer: url, audience: 'jeton' }, people } })
  expect(await jeton.logged('configuration_doubtful')).toContain('issuers.people')
  expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
})
