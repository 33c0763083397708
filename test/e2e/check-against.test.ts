import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type Jeton, runCli } from '../support/service/jeton.ts'
import { type Servers, startServers } from './servers.ts'

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const LIMITS =
  'note: records do not show audiences, keys, lifetimes or URLs of issuers, nor hosts of databases, so changes of these are not compared\n'
const MAIN = { repository: 'acme/shop', ref: 'refs/heads/main' }
const DEV = { ...MAIN, ref: 'refs/heads/dev' }

let dynamodb: Dynamodb
let servers: Servers
let page: string
const closing: (() => Promise<void>)[] = []

/** The configuration of one database whose only grant has these claims. */
function configWith(claims: object, more: object = {}): object {
  const { databases } = servers.environment().config() as { databases: Record<string, object> }
  return servers.environment().config({
    databases: { orders: databases.orders },
    grants: [
      { name: 'orders-deploy', principal: { issuer: 'ci', claims }, database: 'orders', users: ['migrator'] },
    ],
    audit: [
      { type: 'file', path: 'audit.jsonl' },
      { type: 'dynamodb', table: 'jeton-audit' },
    ],
    ...more,
  })
}

const inFolder = (name: string) => join(servers.environment().folder, name)

/** Runs a command of the docs beside the server, with this as the new configuration. */
async function run(command: string, config: object) {
  await writeFile(inFolder('new.yaml'), JSON.stringify(config))
  const env = { ...dynamodb.environment(), ...servers.environment().serverEnv }
  return runCli(command.split(' ').slice(1), { env, cwd: servers.environment().folder })
}

async function vend(jeton: Jeton, claims: object): Promise<number> {
  const jwt = await servers.bearer({ sub: 'repo:acme/shop', ...claims })
  return (await jeton.requestToken(jwt, { database: 'orders' })).status
}

beforeAll(async () => {
  page = await readDocsPage('operations')
  dynamodb = await startDynamodb()
  closing.push(dynamodb.close)
  servers = await startServers(close => closing.unshift(close))
  const jeton = await servers.startServer(configWith({ ...MAIN, ref: 'refs/heads/**' }), {
    env: { ...dynamodb.environment(), ...servers.environment().serverEnv },
  })
  for (const claims of [DEV, MAIN, DEV]) expect(await vend(jeton, claims)).toBe(200)
  await jeton.close()
})
afterAll(async () => {
  for (const close of closing) await close()
})

test('the example of docs/operations.md finds who would lose, and exits 3', async () => {
  const { code, stdout, stderr } = await run(exampleIn(page, 'change-without-fear').trim(), configWith(MAIN))
  expect(stdout.replace(TIME, '2026-11-23T10:00:00.000Z')).toBe(exampleIn(page, 'change-without-fear-output'))
  expect({ code, stderr }).toEqual({ code: 3, stderr: LIMITS })
})

test('the job of docs/operations.md reads the table, and passes a configuration that takes nothing away', async () => {
  const { jobs } = parse(exampleIn(page, 'change-without-fear-ci'))
  const command = jobs.check.steps[1].run.replace('npx ', '').replace('jeton.yaml', 'new.yaml')
  const { code, stdout } = await run(command, configWith({ repository: 'acme/shop' }))
  expect(code).toBe(0)
  expect(stdout).toMatch(/\ncompared with 3 records of 2 callers, .*\nall would be decided as before\n$/)
  expect((await run(command, configWith(DEV))).code).toBe(3)
})

test('-o json has what callers have now and what they would have; what records lack is neither', async () => {
  const command = 'jeton check --config new.yaml -o json --against audit.jsonl'
  const { code, stdout } = await run(command, configWith({ ...MAIN, ref: '**', environment: 'prod' }))
  expect(code).toBe(0)
  const { loses, unknown, records } = JSON.parse(stdout)
  expect([loses, records]).toEqual([[], 3])
  expect(unknown).toMatchObject([
    {
      principal: { issuer: 'ci', subject: 'repo:acme/shop', claims: DEV },
      database: 'orders',
      user: 'migrator',
      wasGranted: true,
      vends: 2,
      grant: 'orders-deploy',
      becomes: {
        reason: 'nearest grant orders-deploy: claim environment is not in the record, wanted prod',
      },
    },
    { vends: 1 },
  ])
  const strict = await run(`${command} --strict`, configWith({ ...MAIN, environment: 'prod' }))
  expect(strict.code).toBe(3)
})

test('a broken configuration exits 1 and is compared with nothing, and options of their own need --against', async () => {
  const broken = await run('jeton check --config new.yaml --against audit.jsonl', configWith({}))
  expect([broken.code, broken.stdout]).toEqual([1, ''])
  expect(await run('jeton check --config new.yaml --since 7d', configWith(MAIN))).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: --since and --output are for --against\n',
  })
  const badTime = await run('jeton check --config new.yaml --since noon --against', configWith(MAIN))
  expect([badTime.code, badTime.stderr]).toEqual([2, expect.stringMatching(/^jeton: --since takes a time/)])
  const missing = await run('jeton check --config new.yaml --against none.jsonl', configWith(MAIN))
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('none.jsonl')])
})
