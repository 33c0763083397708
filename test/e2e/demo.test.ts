import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hasProgram } from '../support/databases/install.ts'
import { DEMO_RUNS, startDemo } from '../support/demo.ts'
import { run } from '../support/run.ts'
import { runCli } from '../support/service/jeton.ts'

const canLogIn = (await hasProgram('initdb')) && (await hasProgram('psql')) && (await hasProgram('curl'))

let parent: string
/** For the demo's files: longer than the path of a socket may be, and no plain word of a shell. */
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  folder = join(parent, `it's ${'a'.repeat(100)}`)
  await mkdir(folder, { recursive: true })
  // PostgreSQL runs as another account if this process is root
  await run('chmod', ['711', parent, folder])
})
afterEach(() => rm(parent, { recursive: true }))

test('the demo shows a token, refusals and the record of the vend, and ends', async () => {
  const { code, stdout, stderr } = await runCli(['demo', '--once'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /RDS would say: {3}accepted as arn:aws:sts::123456789012:assumed-role\/jeton-orders\//,
  )
  expect(stdout).toMatch(/a feature branch: 403 access_denied/)
  expect(stdout).toMatch(/an expired JWT: {3}401 unauthenticated/)
  expect(stdout).toMatch(/"decision":"vended","principal":\{[^}]*\n.*\n.*"fingerprint":"[0-9a-f]{16}…"/)
  expect(stdout).toMatch(/jeton audit verify: ok/)
  expect(stdout).not.toContain('X-Amz-')
}, 60_000)

test.runIf(canLogIn)(
  'the demo logs in and prints commands that work, wherever its files are and whatever the environment has for clients',
  async () => {
    const env = { TMPDIR: folder, PGSERVICE: 'mine', PGCHANNELBINDING: 'require' }
    const { demo, printed } = await startDemo({ until: DEMO_RUNS, env })
    const ended = once(demo, 'exit')
    expect(printed).toMatch(/logged in: {7}migrator on PostgreSQL/)
    expect(printed).toContain('psql said:       hello from migrator')
    const [, tried = ''] = printed.split('Try in another terminal:\n')
    const commands = tried
      .split('\n')
      .filter(line => line.startsWith('  '))
      .map(line => line.replace(/-- psql$/, '-- psql -Atc "select 6 * 7"').replace('tail -f', 'tail -n 1'))
    const { code, stdout } = await run('/bin/sh', ['-c', commands.join('\n')])
    demo.kill('SIGTERM')
    await ended
    expect(code).toBe(0)
    expect(stdout).toContain('"cached":true')
    expect(stdout).toContain('"expiresIn": ')
    expect(stdout).toMatch(/^42$/m)
    expect(stdout).toContain('orders-deploy refuses')
    expect(stdout).toContain('"status":"ready"')
    expect(stdout).toContain('"decision":"vended"')
  },
  60_000,
)

/** The beginning of what initdb prints says nothing. */
const FAILING_INITDB = `#!/bin/sh
echo 'The files belonging to this database system will be owned by user "me".'
echo 'initdb: error: could not create directory: No space left on device' >&2
echo 'initdb: removing data directory'
exit 1
`

test('the demo goes on without PostgreSQL if that does not start, and says why', async () => {
  await mkdir(join(folder, 'bin'), { mode: 0o755 })
  for (const name of ['initdb', 'postgres', 'psql'])
    await writeFile(join(folder, 'bin', name), FAILING_INITDB, { mode: 0o755 })
  const env = { PATH: `${folder}/bin:${process.env.PATH}`, TMPDIR: folder }
  const { code, stdout } = await runCli(['demo', '--once'], { env })
  expect(code).toBe(0)
  expect(stdout).toContain(
    'nobody logs in:  PostgreSQL does not start here (initdb: error: could not create directory: No space left on device)',
  )
  expect(stdout).toContain('jeton audit verify: ok')
}, 60_000)

test('the demo says which folder it cannot write to', async () => {
  const { code, stderr } = await runCli(['demo', '--once'], { env: { TMPDIR: '/nonexistent' } })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      'jeton: cannot create a folder in /nonexistent (ENOENT): name one in TMPDIR that this user may write to\n',
  })
})
