import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { canRun } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { useRunbookServer } from './runbooks-server.ts'

/** The pool of docs/http.md, run unchanged; only the address to dial is the stand-in's. */
const canLogIn = await canRun(['postgres'])
const example = exampleIn(await readDocsPage('http'), 'pool')

describe.runIf(canLogIn)('the pool of docs/http.md', () => {
  const { environment, jeton, jwt, reload, config } = useRunbookServer({
    databases: ['postgres'],
    sha256: newApiKey().sha256,
  })

  /** Runs the example, and then `script` with its `pool`. */
  async function runWithPool(script: string) {
    const { folder, authority, postgres } = environment()
    await writeFile(join(folder, 'jwt'), `${await jwt()}\n`)
    const dial = example
      .replace('  host,\n  port,\n', `  host: '127.0.0.1',\n  port: ${postgres?.port},\n`)
      .replace('ca: ca.pem', `ca: ${JSON.stringify(authority.caPem)}`)
    return run(process.execPath, ['--input-type=module', '-e', `${dial}\n${script}\nawait pool.end()`], {
      env: { JETON_URL: jeton().url, JETON_JWT_FILE: join(folder, 'jwt') },
    })
  }

  test('logs in twice with one token', async () => {
    const script = `const query = () => pool.query('select current_user, pg_sleep(0.2)')
      const [first, second] = await Promise.all([query(), query()])
      console.log(first.rows[0].current_user, second.rows[0].current_user)`
    expect(await runWithPool(script)).toEqual({ code: 0, stdout: 'migrator migrator\n', stderr: '' })
    expect(environment().postgres?.logins).toMatchObject([
      { user: 'migrator', result: { ok: true } },
      { user: 'migrator', result: { ok: true } },
    ])
    expect(environment().sts.calls).toHaveLength(1)
  })

  test('goes on with its token when jeton gives no other, and says why when it has none', async () => {
    const script = `reply.refreshAfter = reply.issuedAt
      process.env.JETON_JWT_FILE = ${JSON.stringify(join(environment().folder, 'ca.pem'))}
      console.log((await pool.query('select current_user')).rows[0].current_user)`
    expect(await runWithPool(script)).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
    await reload({ grants: config().grants.filter(({ name }) => name !== 'orders-deploy') })
    const { code, stderr } = await runWithPool('')
    expect(code).toBe(1)
    expect(stderr).toContain('Error: access_denied: no grant allows')
  })
})
