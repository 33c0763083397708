import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from '../recipes/environment.ts'
import { canRun } from '../support/databases/install.ts'
import { type Agent, startAgent } from '../support/service/agent.ts'

/** PgBouncer does not run as root; as nobody it may still read the files that root has written in this folder. */
const AS_NOBODY = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'],
]

const NODE = `import pg from 'pg'
  const client = new pg.Client(process.env.DATABASE_URL)
  await client.connect()
  console.log((await client.query('select current_user')).rows[0].current_user)
  await client.end()`

const LOGGED_IN = { code: 0, stdout: 'migrator\n', stderr: '' }

const hasPgbouncer = await canRun(['pgbouncer'])

/** Programs log in to a real PostgreSQL by what the built command has written. Tokens are due for renewal after a second. */
describe.runIf(await canRun(['postgres', 'psql', 'libnss-wrapper']))('a program that reads', () => {
  let recipe: RecipeEnvironment
  let agent: Agent
  const at = (name: string) => join(recipe.folder, name)

  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    await recipe.put('.pgpass', '*:*:*:*:wrong\n')
    await recipe.put('.pg_service.conf', '[orders]\nhost=wrong.example\n')
    await recipe.put('.env', 'DATABASE_URL=postgres://wrong.example/x')
    await symlink(join(import.meta.dirname, '../../node_modules'), at('node_modules'))
    const names = {
      pgpass: '.pgpass',
      service: '.pg_service.conf',
      dotenv: '.env',
      userlist: 'users',
      ca: 'ca.crt',
    }
    const files = Object.entries(names).flatMap(([kind, name]) => [`--${kind}`, at(name)])
    agent = startAgent(
      ['orders', ...files, '--signal', 'hup', '--pid-file', at('pgbouncer.pid'), '--health', '0'],
      { env: recipe.env },
    )
    await agent.ready
  })
  afterAll(async () => {
    expect(await agent?.stop()).toBe(0)
    expect(agent?.stdout).toEqual(['{"msg":"ready"}'])
    expect(JSON.stringify(agent?.log)).not.toContain('X-Amz-Signature')
    await recipe?.close()
  })

  const ask = async (path: string) => {
    const { health } = await agent.logged('agent_started')
    const response = await fetch(`${health}${path}`)
    return { status: response.status, text: await response.text() }
  }

  test('a password file and a service file logs in, though others stand there that would lead it astray', async () => {
    expect(await recipe.run('psql', ['-wXAtc', 'select current_user', 'service=orders'])).toEqual(LOGGED_IN)
  })

  test('a .env file logs in', async () => {
    const args = ['--env-file=.env', '--input-type=module', '-e', NODE]
    expect(await recipe.run(process.execPath, args)).toEqual(LOGGED_IN)
  })

  test('asks whether the agent is well', async () => {
    expect(await ask('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}\n' })
    const { text } = await ask('/metrics')
    const [, ends = ''] =
      /^jeton_agent_token_expiry_timestamp_seconds\{login="orders"\} (\d+)$/m.exec(text) ?? []
    expect(Number(ends) - Date.now() / 1000).toBeGreaterThan(250)
  })

  describe.runIf(hasPgbouncer)('PgBouncer’s auth_file', () => {
    let pgbouncer: ChildProcess
    let output = ''

    beforeAll(async () => {
      const settings = `[databases]
orders = host=127.0.0.1 port=${recipe.database.port} user=migrator
[pgbouncer]
unix_socket_dir = ${recipe.folder}
listen_port = 6432
auth_type = trust
auth_file = ${at('users')}
pidfile = ${at('pgbouncer.pid')}
server_tls_sslmode = verify-full
server_tls_ca_file = ${at('ca.crt')}
`
      const command = [await findProgram('pgbouncer'), await recipe.put('pgbouncer.ini', settings)]
      const [file = '', ...args] = process.getuid?.() === 0 ? [...AS_NOBODY, ...command] : command
      pgbouncer = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      await new Promise<void>((resolve, reject) => {
        pgbouncer.stderr?.on('data', chunk => {
          output += chunk
          if (output.includes('process up')) resolve()
        })
        pgbouncer.once('close', () => reject(new Error(output)))
      })
    })
    afterAll(async () => {
      if (pgbouncer?.exitCode === null && pgbouncer.kill('SIGKILL')) await once(pgbouncer, 'close')
    })

    const drop = () =>
      recipe.database.admin(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'migrator' and backend_type = 'client backend'",
      )
    /** Logs in by a new connection of PgBouncer's. */
    async function logIn() {
      await drop()
      const login = `host=${recipe.folder} port=6432 dbname=orders user=migrator`
      expect(await recipe.run('psql', ['-XAtc', 'select current_user', login])).toEqual(LOGGED_IN)
    }
    const passwordOf = async () => /^"migrator" "(.*)"$/m.exec(await readFile(at('users'), 'utf8'))?.[1]
    const reloads = () => output.split('re-reading config').length

    test('goes on through the end of a token without a failed login', async () => {
      const [before, first, reloaded] = [recipe.logins.length, await passwordOf(), reloads()]
      await logIn()
      while ((await passwordOf()) === first || reloads() === reloaded) {
        agent.wake()
        await pause(50)
      }
      recipe.endTokensInUse()
      for (let i = 0; i < 3; i++) await logIn()
      const made = recipe.logins.slice(before)
      expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBeGreaterThan(1)
      expect(made.filter(({ ok }) => !ok)).toEqual([])
      expect(output).not.toContain('X-Amz-Signature')
    })
  })
})
