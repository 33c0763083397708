import { writeFile } from 'node:fs/promises'
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
