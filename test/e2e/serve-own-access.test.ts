import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { readDegraded } from '../support/service/fleet-observations.ts'
import { type Servers, startServers } from './servers.ts'

/** The environment of a server without credentials of its own, which looks for them in these files. */
function withoutCredentials(
  { environment }: Servers,
  files: { credentials?: string; config?: string },
): Record<string, string> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = environment().serverEnv
  return {
    ...rest,
    ...(files.credentials !== undefined && { AWS_SHARED_CREDENTIALS_FILE: files.credentials }),
    ...(files.config !== undefined && { AWS_CONFIG_FILE: files.config }),
  }
}

const writeKey = (path: string, key: { accessKeyId: string; secretAccessKey: string }) =>
  writeFile(
    path,
    `[default]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}\n`,
  )

const STORE = { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } }

// at once: one of them waits for as long as all others take
describe('jeton serve', { concurrent: true, timeout: 60_000 }, () => {
  test('without credentials says so, goes on, and vends as soon as a file brings some', async ({
    onTestFinished,
  }) => {
    const servers = await startServers(onTestFinished)
    const credentials = join(servers.environment().folder, 'credentials')
    const jeton = await servers.startServer({}, { env: withoutCredentials(servers, { credentials }) })
    expect(await jeton.logged('aws_credentials_missing')).toContain('AWS_PROFILE')
    expect(await readDegraded(jeton)).toEqual(['sts'])
    const { accessKeyId, secretAccessKey } = servers.environment().sts.credentials
    await writeKey(credentials, { accessKeyId, secretAccessKey })
    await jeton.logged('aws_credentials_found')
    expect(await readDegraded(jeton)).toEqual([])
    expect((await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status).toBe(200)
  })

  test('takes the credentials that have replaced others in a file, without a restart', async ({
    onTestFinished,
  }) => {
    const servers = await startServers(onTestFinished)
    const credentials = join(servers.environment().folder, 'credentials')
    const { accessKeyId, secretAccessKey } = servers.environment().sts.credentials
    await writeKey(credentials, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey })
    const jeton = await servers.startServer({}, { env: withoutCredentials(servers, { credentials }) })
    expect((await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status).toBe(503)
    expect(await jeton.logged('assume_role_failed')).toContain('InvalidClientTokenId')
    await writeKey(credentials, { accessKeyId, secretAccessKey })
    await vi.waitUntil(
      async () => (await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status === 200,
      { timeout: 30_000, interval: 1000 },
    )
  })

  test('with a profile and keys says in one line of the log which count', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const credentials = join(servers.environment().folder, 'credentials')
    await writeKey(credentials, servers.environment().sts.credentials)
    const env = {
      ...servers.environment().serverEnv,
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_PROFILE: 'default',
    }
    const jeton = await servers.startServer({}, { env })
    expect((await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status).toBe(200)
    expect(JSON.parse(await jeton.logged('node_warning'))).toMatchObject({
      warning: 'AwsSdkWarning',
      msg: expect.stringMatching(/Both AWS_PROFILE and .* This SDK will proceed with the AWS_PROFILE value/),
    })
  })

  test('refuses an AWS_REGION that is none', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const env = { ...servers.environment().serverEnv, AWS_REGION: '"us-east-1"' }
    await expect(servers.startServer({}, { env })).rejects.toThrow(/AWS_REGION: is not the name of a region/)
  })

  test('starts although the search for credentials hangs, and says that it does', async ({
    onTestFinished,
  }) => {
    const servers = await startServers(onTestFinished)
    const config = join(servers.environment().folder, 'config')
    await writeFile(config, '[default]\ncredential_process = sleep 60\n')
    const jeton = await servers.startServer({}, { env: withoutCredentials(servers, { config }) })
    expect((await fetch(`${jeton.url}/healthz`)).status).toBe(200)
    expect(jeton.stderr.join()).not.toContain('aws_credentials_missing')
    expect(JSON.parse(await jeton.logged('aws_credentials_missing'))).toMatchObject({
      reason: expect.stringMatching(/^TimeoutError; the search does not end: a credential_process/),
    })
  })

  test('without a region for its tables says which, and does not start', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const { AWS_REGION, ...env } = servers.environment().serverEnv
    const audit = [{ type: 'stdout' }, { type: 'dynamodb', table: 'jeton-audit' }]
    const start = servers.startServer({ store: STORE, audit }, { env })
    await expect(start).rejects.toThrow(/"aws_region_missing","parts":\["store","audit\[1\]"\].*AWS_REGION/)
    const there = { region: 'us-east-1' }
    await servers.startServer({ store: { ...STORE, ...there }, audit: [{ ...audit[1], ...there }] }, { env })
  })

  test('takes the region of its tables from a profile, too', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const { AWS_REGION, ...env } = servers.environment().serverEnv
    const config = join(servers.environment().folder, 'config')
    await writeFile(config, '[default]\nregion = us-east-1\n')
    await servers.startServer({ store: STORE }, { env: { ...env, AWS_CONFIG_FILE: config } })
  })

  test('needs no region without tables, and says where it then calls STS', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const { AWS_REGION, ...env } = servers.environment().serverEnv
    const jeton = await servers.startServer({}, { env })
    expect(await jeton.logged('aws_region_unset')).toContain("each database's own")
    expect((await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status).toBe(200)
  })

  test('with both says nothing of them', async ({ onTestFinished }) => {
    const servers = await startServers(onTestFinished)
    const jeton = await servers.startServer()
    expect((await jeton.requestToken(await servers.bearer(), { database: 'orders' })).status).toBe(200)
    expect(jeton.stderr.join()).not.toMatch(/aws_(credentials|region)/)
  })
})
