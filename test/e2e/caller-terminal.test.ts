import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { run } from '../support/run.ts'
import { CLI, type Jeton, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import { hasTerminals, runInTerminal } from '../support/terminal.ts'

const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])

/** Each command for callers, as somebody at a terminal calls it and as a script does: against a server and real databases. */
describe.runIf(canLogIn)('a caller', () => {
  let environment: TestEnvironment
  let jeton: Jeton
  let env: Record<string, string>

  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    jeton = await startJeton({
      config: environment.config(),
      env: environment.serverEnv,
      folder: environment.folder,
    })
    const program = join(environment.folder, 'jeton')
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 })
    env = {
      PATH: `${environment.folder}:${process.env.PATH}`,
      HOME: environment.folder,
      JETON_URL: jeton.url,
      JETON_JWT: await environment.issuer.sign({ sub: 'repo:acme/orders', ...CLAIMS }),
      CA: environment.caFile,
    }
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  describe.each(hasTerminals ? ['in a pipe', 'on a terminal'] : ['in a pipe'])('%s', place => {
    const isTerminal = place === 'on a terminal'

    async function runLine(line: string, input = '') {
      const { code, stdout, stderr } = isTerminal
        ? await runInTerminal(line, { env, input })
        : await run('sh', ['-c', line], { env, input })
      const text = stripVTControlCharacters(stdout).replaceAll('\r\n', '\n')
      return { code, stdout: text, stderr, hasColors: stdout.includes('\u001b[') }
    }

    test('gets a token with jeton token, and nothing around it', async () => {
      const got = await runLine('jeton token orders')
      expect(got).toMatchObject({ code: 0, stderr: '', hasColors: false })
      expect(got.stdout).toMatch(/^orders\.\S+&DBUser=migrator&\S+\n$/)
    })

    test.each([
      ['orders', 'psql -XAtc "select current_user"', 'migrator'],
      ['ledger', 'mariadb -NBe "select current_user()"', 'app_rw@%'],
    ])('logs in to %s by -o env', async (database, command, user) => {
      const line = `login="$(jeton token ${database} -o env --ca "$CA")" && eval "$login" && ${command}`
      expect(await runLine(line)).toMatchObject({ code: 0, stdout: `${user}\n`, stderr: '' })
    })

    test.each([
      ['orders', `psql -XAtc 'select current_user'`, 'migrator'],
      ['ledger', `mariadb -NBe 'select current_user()'`, 'app_rw@%'],
    ])('logs in to %s with jeton exec, whose command has these streams', async (database, command, user) => {
      const script = `test -t 0 && test -t 1 && test -t 2 && echo terminal; ${command}; exit 7`
      const ran = await runLine(`jeton exec ${database} --ca "$CA" -- sh -c "${script}"`)
      const stdout = `${isTerminal ? 'terminal\n' : ''}${user}\n`
      expect(ran).toMatchObject({ code: 7, stdout, stderr: '' })
    })

    test('asks psql what it likes with jeton exec', async () => {
      const { code, stdout } = await runLine(
        'jeton exec orders --ca "$CA" -- psql -XAt',
        `select 'I am ' || current_user;\n\\q\n`,
      )
      expect([code, stdout]).toEqual([0, expect.stringContaining(`I am migrator\n`)])
    })

    test('learns with jeton whoami whom the server takes it for', async () => {
      const { stdout, ...ended } = await runLine('jeton whoami')
      expect(ended).toEqual({ code: 0, stderr: '', hasColors: isTerminal })
      expect(stdout).toMatch(/^subject {4}repo:acme\/orders$/m)
      expect(stdout).toMatch(/^databases {2}orders: migrator$/m)
      expect(stdout).not.toContain(env.JETON_JWT)
    })

    test.each(['orders', 'ledger'])('learns with jeton doctor that all is well with %s', async database => {
      const { stdout, ...ended } = await runLine(`jeton doctor ${database} --ca "$CA"`)
      expect(ended).toEqual({ code: 0, stderr: '', hasColors: isTerminal })
      expect(stdout.includes('✓')).toBe(isTerminal)
      expect(stdout).toMatch(/query\s.*\bcurrent_user/)
      expect(stdout).toContain(`all is well: jeton and the database accept this caller\n`)
    })

    test('learns with jeton decode what a token says', async () => {
      const { stdout, ...ended } = await runLine('jeton token orders | jeton decode --user migrator')
      expect(ended).toEqual({ code: 0, stderr: '', hasColors: isTerminal })
      expect(stdout).toMatch(/^user {9}migrator$/m)
      expect(stdout).toContain('nothing is wrong')
      expect(stdout).not.toContain('X-Amz-Signature')
    })

    test('is told why there is no token, by the exit code as well', async () => {
      const { code, stdout, stderr } = await runLine('jeton token orders --user app_ro')
      expect([code, isTerminal ? stdout : stderr]).toEqual([
        3,
        expect.stringMatching(/^jeton: .*repo:acme\/orders/),
      ])
    })

    test('gets what completes its commands', async () => {
      const { stdout, ...ended } = await runLine('jeton completion bash')
      expect(ended).toEqual({ code: 0, stderr: '', hasColors: false })
      expect(stdout).toContain('jeton doctor')
    })
  })
})
