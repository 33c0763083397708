import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { runbook, useRunbookServer } from './runbooks-server.ts'

/** The runbooks of docs/runbooks.md for credentials in wrong hands: their examples, run unchanged. */
const [hasTools, canLogIn] = await Promise.all([
  Promise.all(['jq', 'curl', 'git', 'sha256sum'].map(hasProgram)).then(found => found.every(Boolean)),
  canRun(['postgres', 'psql', 'mariadb', 'mariadb-client']),
])
const PATIENT = { timeout: 20_000 }

describe.runIf(hasTools && canLogIn)('the runbook of', () => {
  const oldKey = newApiKey()
  const { environment, jeton, config, shell, runScript, reload, jwt } = useRunbookServer({
    databases: ['postgres', 'mariadb'],
    sha256: oldKey.sha256,
  })
  const requestToken = async (authorization: string, user?: string) =>
    jeton().requestToken(authorization, { database: 'orders', user })
  async function exec(database: string, command: string): Promise<number | null> {
    const env = { JETON_JWT: await jwt() }
    return (await runScript(`jeton exec ${database} --ca ca.pem -- ${command}`, env)).code
  }

  test('a leaked token says whose it is', async () => {
    const { body } = await requestToken(`Bearer ${await jwt()}`)
    await writeFile(join(environment().folder, 'leaked.txt'), ` ${body.token}\n`)
    const rows = (await shell('leaked-token')).split('\n').map(row => row.split('\t').slice(1))
    expect(rows).toEqual([['ci', 'deploy', '127.0.0.1', 'migrator', body.expiresAt]])
  })

  test('a leaked token ends sessions in PostgreSQL, and lets nobody log in until it is opened again', async () => {
    const { postgres } = environment()
    if (!postgres) return expect.unreachable()
    const sessions = () => postgres.admin(runbook('sessions-postgres'))
    const session = exec('orders', 'psql -Atc "select pg_sleep(60)"')
    await expect
      .poll(sessions, PATIENT)
      .toMatchObject([{ client_addr: '127.0.0.1', application_name: 'psql' }])
    await postgres.admin(runbook('lock-postgres'))
    expect(await session).not.toBe(0)
    expect(await sessions()).toEqual([])
    expect(await exec('orders', 'psql -Atc "select 1"')).not.toBe(0)
    await postgres.admin(runbook('unlock-postgres'))
    expect(await exec('orders', 'psql -Atc "select 1"')).toBe(0)
  }, 60_000)

  test('a leaked token does the same in MariaDB', async () => {
    const { mariadb } = environment()
    if (!mariadb) return expect.unreachable()
    const sessions = () => mariadb.admin(runbook('sessions-mysql'))
    const session = exec('ledger', 'mariadb -Be "select sleep(60)"')
    await expect.poll(async () => (await sessions()).length, PATIENT).toBe(1)
    const [id] = (await sessions()).map(row => row.id)
    const [lock = '', kill = ''] = runbook('lock-mysql').trim().split('\n')
    await mariadb.admin(lock)
    const printed = (await mariadb.admin(kill)).flatMap(row => Object.values(row))
    expect(printed).toEqual([`CALL mysql.rds_kill(${id});`])
    // only RDS has that procedure, for a master user who may not do this
    await mariadb.admin(`KILL ${id}`)
    expect(await session).not.toBe(0)
    expect(await exec('ledger', 'mariadb -Be "select 1"')).not.toBe(0)
    await mariadb.admin(runbook('unlock-mysql'))
    expect(await exec('ledger', 'mariadb -Be "select 1"')).toBe(0)
  }, 60_000)

  test('a leaked API key shows its use, and replaces it', async () => {
    expect((await requestToken(`ApiKey ${oldKey.key}`, 'app_ro')).status).toBe(200)
    expect(await shell('key-use')).toMatch(/^1 vended\t127\.0\.0\.1\t[^\t]+\torders\tapp_ro$/)
    const printed = await shell('new-key')
    const [, newKey = ''] = /key, shown this once: (\S+)/.exec(printed) ?? []
    const [, sha256 = ''] = /sha256: "(\w+)"/.exec(printed) ?? []
    await reload({ apiKeys: { 'nightly-report': { sha256 } } })
    expect(JSON.parse(await shell('reloaded'))).toEqual([
      expect.stringMatching(/^\d{4}-/),
      'jeton.audit.reloaded',
      { apiKeys: { changed: ['nightly-report'] } },
    ])
    expect(await shell('old-key', { OLD_KEY: oldKey.key })).toBe('401')
    expect((await requestToken(`ApiKey ${newKey}`, 'app_ro')).status).toBe(200)
    expect(Date.parse(await shell('key-tokens'))).toBeGreaterThan(Date.now())
    await reload({})
  })

  test('a stolen JWT shows until when it is good and which grants it meets; without them it is refused', async () => {
    const stolen = await jwt({ sub: 'stolen/~ü' })
    expect((await requestToken(`Bearer ${stolen}`)).status).toBe(200)
    await writeFile(join(environment().folder, 'stolen.jwt'), `${stolen}\n`)
    const printed = await shell('jwt-claims')
    expect(printed).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n/)
    expect(printed).toContain('orders-deploy')
    await reload({ grants: config().grants.filter(({ name }) => name !== 'orders-deploy') })
    const { status, body } = await requestToken(`Bearer ${stolen}`)
    expect([status, body.code]).toEqual([403, 'access_denied'])
    const decisions = async () => (await shell('jwt-use')).split('\n').map(row => row.split('\t')[1])
    await expect.poll(decisions, PATIENT).toEqual(['vended', 'refused'])
    await reload({})
  })

  test('a configuration that was rolled back finds the version in use, and what was vended by a grant', async () => {
    const commit = 'git -c user.name=a -c user.email=a@example.com commit -qm right'
    const { stdout } = await runScript(
      `git init -q . && cp "$JETON_CONFIG" jeton.yaml && git add jeton.yaml && ${commit} && git log --format=%h`,
    )
    const lines = (await shell('configuration-used')).split('\n')
    const [, type, sha256, grants] = JSON.parse(lines.at(-2) ?? '') as unknown[]
    expect([type, grants]).toEqual(['jeton.audit.reloaded', { added: ['orders-deploy'] }])
    expect(lines.at(-1)).toBe(`${sha256}  ${jeton().configFile}`)
    expect(await shell('configuration-version')).toBe(`${stdout.trim()} ${sha256}`)
    const vended = (await shell('grant-use')).split('\n').map(row => row.split('\t')[2])
    expect(vended).toContain('stolen/~ü')
  })
})
