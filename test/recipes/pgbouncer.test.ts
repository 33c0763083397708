import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { canRun } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'
import { commandOf, readUnit } from './units.ts'

/** PgBouncer does not run as root; as nobody it may still read the files that root has written in this folder. */
const AS_NOBODY = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'],
]

describe.runIf(await canRun(['postgres', 'psql', 'pgbouncer', 'libnss-wrapper']))('PgBouncer', () => {
  let recipe: RecipeEnvironment
  let page: string
  const bouncers: ChildProcess[] = []
  let proxy: Daemon | undefined
  let output = ''

  const here = (text: string) =>
    text
      .replaceAll('/var/lib/jeton-pgbouncer', recipe.folder)
      .replaceAll('/run/postgresql', recipe.folder)
      .replaceAll('/run/jeton', join(recipe.folder, 'run'))
      .replaceAll('app_ro', 'migrator')
  const commandOfUnit = async (setting: string) => {
    const unit = await readUnit('system/jeton-agent-pgbouncer@.service')
    const [, ...args] = commandOf(unit, setting, { specifiers: { i: 'orders', S: '/var/lib' } })
    return ['jeton', ...args]
  }
  const startPgbouncer = async (settings: string) => {
    const command = [await findProgram('pgbouncer'), await recipe.put(`${bouncers.length}.ini`, settings)]
    const [file = '', ...args] = process.getuid?.() === 0 ? [...AS_NOBODY, ...command] : command
    const pgbouncer = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    bouncers.push(pgbouncer)
    let log = ''
    await new Promise<void>((resolve, reject) => {
      pgbouncer.stderr?.on('data', chunk => {
        log += chunk
        output += chunk
        if (log.includes('process up')) resolve()
      })
      pgbouncer.once('close', () => reject(new Error(log)))
    })
  }

  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    page = await readDocsPage('connect/pgbouncer')
    // before PgBouncer is there, as systemd does
    const [, ...before] = await commandOfUnit('ExecStartPre')
    expect(await recipe.run('jeton', before.map(here))).toMatchObject({ code: 0 })
    // 127.0.0.1 is in the certificate, too
    const address = `host=127.0.0.1 port=${recipe.database.port}`
    await startPgbouncer(here(exampleIn(page, 'pgbouncer.ini')).replace(/host=\S+ port=5432/, address))
  })
  afterAll(async () => {
    for (const bouncer of bouncers)
      if (bouncer.exitCode === null && bouncer.kill('SIGKILL')) await once(bouncer, 'close')
    await proxy?.stop()
    await recipe?.close()
  })

  /** The command of the page, which then goes on; here it ends. */
  const renew = () => recipe.run('sh', ['-c', `${here(exampleIn(page, 'agent')).trim()} --once`])
  const psql = (port = 6432) => {
    const login = `host=${recipe.folder} port=${port} dbname=orders user=migrator`
    return recipe.run('psql', ['-XAtc', 'select current_user', login])
  }
  const dropConnections = () =>
    recipe.database.admin(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'migrator' and backend_type = 'client backend'",
    )
  const readPassword = async () => {
    const users = await readFile(join(recipe.folder, 'userlist.txt'), 'utf8')
    return /^"migrator" "(.*)"$/m.exec(users)?.[1] ?? ''
  }

  test('is told by the unit what the page says', async () => {
    expect((await commandOfUnit('ExecStart')).join(' ')).toBe(exampleIn(page, 'agent').trim())
  })

  test('logs in, and with a newer token after the agent has written one', async () => {
    expect(await psql()).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
    const password = await readPassword()
    while ((await readPassword()) === password) expect(await renew()).toMatchObject({ code: 0 })
    const newer = sha256Hex(await readPassword())
    do {
      await dropConnections()
      await psql()
    } while (recipe.logins.at(-1)?.fingerprint !== newer)
    expect(recipe.logins.every(login => login.ok)).toBe(true)
  })

  test('needs no secret through the proxy, and logs in after a token has ended', async () => {
    const folder = join(recipe.folder, 'run/orders')
    await mkdir(folder, { recursive: true, mode: 0o755 })
    proxy = await startDaemon(recipe, ['jeton', 'proxy', 'orders:5432', '--socket-dir', folder])
    await recipe.put('proxied.txt', '"migrator" ""\n')
    const settings = here(exampleIn(page, 'pgbouncer.ini'))
      .replace(/^orders = .*\n/m, here(exampleIn(page, 'proxied')))
      .replace(/^server_tls_.*\n/gm, '')
      .replace('userlist.txt', 'proxied.txt')
      .replace('pgbouncer.pid', 'proxied.pid')
    await startPgbouncer(`${settings}listen_port = 6433\n`)
    expect(await psql(6433)).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
    recipe.endTokensInUse()
    await recipe.waitForNewToken()
    await dropConnections()
    expect(await psql(6433)).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
  })

  test('says that a token has ended in its log, while clients wait', async () => {
    recipe.expireTokens()
    await dropConnections()
    const waiting = psql()
    while (!/login failed: FATAL: LDAP authentication failed for user "migrator"/.test(output))
      await pause(50)
    bouncers[0]?.kill('SIGKILL')
    const { stdout, stderr } = await waiting
    expect(stdout).toBe('')
    expect(stderr).not.toContain('LDAP')
    expect(output).not.toContain('X-Amz-Signature')
  })
})
