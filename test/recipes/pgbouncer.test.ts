import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { canRun } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'

/** PgBouncer does not run as root; as nobody it may still read the files that root has written in this folder. */
const AS_NOBODY = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'],
]

describe.runIf(await canRun(['postgres', 'psql', 'pgbouncer', 'libnss-wrapper']))('PgBouncer', () => {
  let recipe: RecipeEnvironment
  let pgbouncer: ChildProcess
  let output = ''

  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    const page = await readDocsPage('connect/pgbouncer')
    const here = (text: string) =>
      text
        .replaceAll('/etc/pgbouncer', recipe.folder)
        .replaceAll('/run/pgbouncer', recipe.folder)
        .replaceAll('app_ro', 'migrator')
    await recipe.put('renew-orders', here(exampleIn(page, 'renew-orders')), 0o755)
    // 127.0.0.1 is in the certificate, too
    const address = `host=127.0.0.1 port=${recipe.database.port}`
    const settings = here(exampleIn(page, 'pgbouncer.ini')).replace(/host=\S+ port=5432/, address)
    await recipe.put('pgbouncer.ini', settings)
    expect(await renew()).toEqual({ code: 0, stdout: '', stderr: '' })

    const command = [await findProgram('pgbouncer'), join(recipe.folder, 'pgbouncer.ini')]
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
    await recipe?.close()
  })

  const renew = () => recipe.run('sh', ['renew-orders'])
  const psql = () => {
    const login = `host=${recipe.folder} port=6432 dbname=orders user=migrator`
    return recipe.run('psql', ['-XAtc', 'select current_user', login])
  }
  const dropConnections = () =>
    recipe.database.admin(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'migrator' and backend_type = 'client backend'",
    )
  const readUsers = () => readFile(join(recipe.folder, 'userlist.txt'), 'utf8')

  test('logs in, and with a newer token after the script has run again', async () => {
    expect(await psql()).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
    const users = await readUsers()
    while ((await readUsers()) === users) expect(await renew()).toMatchObject({ code: 0 })
    const [, newer = ''] = /" "(.*)"\n$/.exec(await readUsers()) ?? []
    do {
      await dropConnections()
      await psql()
    } while (recipe.logins.at(-1)?.fingerprint !== sha256Hex(newer))
    expect(recipe.logins.every(login => login.ok)).toBe(true)
    expect(output).not.toContain('X-Amz-Signature')
  })

  test('says that a token has ended in its log, while clients wait', async () => {
    recipe.expireTokens()
    await dropConnections()
    const waiting = psql()
    while (!/login failed: FATAL: LDAP authentication failed for user "migrator"/.test(output))
      await pause(50)
    pgbouncer.kill('SIGKILL')
    const { stdout, stderr } = await waiting
    expect(stdout).toBe('')
    expect(stderr).not.toContain('LDAP')
  })
})
