import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explainStartFailure } from '../../src/cli/start-failure.ts'
import { type ApiStub, sampleReply, startApiStub } from '../support/service/api-stub.ts'
import { runCli } from '../support/service/jeton.ts'

/** What a shell makes of a command line whose words have no spaces in them. */
const words = (commandLine: string) => commandLine.split(' ').filter(word => word !== '')

let api: ApiStub
let env: Record<string, string>
let folder: string
beforeAll(async () => {
  api = await startApiStub()
  env = { JETON_URL: api.url, JETON_JWT: 'eyJ.eyJ.x' }
  folder = await mkdtemp(join(tmpdir(), 'usage-'))
})
afterAll(async () => {
  await api.close()
  await rm(folder, { recursive: true })
})

describe('a wrong call of jeton exec is a line that says what to write, without a request:', () => {
  test.each([
    ['exec', 'no database and no command: jeton exec DATABASE -- COMMAND …'],
    ['exec --', 'no database: it comes before --, as in jeton exec DATABASE -- COMMAND …'],
    ['exec -- psql', 'no database: it comes before --, as in jeton exec DATABASE -- psql …'],
    [
      'exec --verbose orders psql',
      '--verbose is no option of jeton exec, whose command comes after --: jeton exec DATABASE -- COMMAND …',
    ],
    ['exec orders', 'no command: it comes after --, as in jeton exec orders -- psql …'],
    ['exec orders --user app', 'no command: it comes after --, as in jeton exec orders -- psql …'],
    ['exec orders --', 'no command after --: jeton exec orders -- COMMAND …'],
    ['exec orders psql -c select', '-- is missing before the command: jeton exec orders -- psql …'],
    ['exec orders psql', '-- is missing before the command: jeton exec orders -- psql …'],
    // an option that both jeton and the command know
    ['exec orders psql --user app', '-- is missing before the command: jeton exec orders -- psql …'],
    ['exec orders -c select', '-- is missing before the command: jeton exec orders -- COMMAND …'],
    ['exec --proxy orders psql', '-- is missing before the command: jeton exec --proxy orders -- psql …'],
    [
      'exec --proxy orders:5433 -- psql',
      "orders:5433 is more than the name of a database, and a proxy's port is --proxy-port 5433: jeton exec --proxy orders -- psql …",
    ],
    ['exec --proxy-port orders -- psql', '--proxy-port takes a number from 0 to 65535'],
    [
      'exec orders psql -- -c',
      "psql stands before --, where only one database and jeton's options may be: jeton exec orders -- psql …",
    ],
    [
      'exec orders -- --user app psql',
      "--user stands after --, where the command begins: jeton's own options come before it, as in jeton exec orders --user NAME -- COMMAND …",
    ],
  ])('%s', async (commandLine, problem) => {
    const before = api.requests.length
    const ended = await runCli(words(commandLine), { env })
    expect(ended).toEqual({ code: 125, stdout: '', stderr: `jeton: ${problem}\n` })
    expect(api.requests).toHaveLength(before)
  })

  test('a database in an unset variable', async () => {
    const { code, stderr } = await runCli(['exec', '', '--', 'psql'], { env })
    expect([code, stderr]).toEqual([
      125,
      'jeton: no database: it comes before --, as in jeton exec DATABASE -- psql …\n',
    ])
  })

  test('a command in an unset variable', async () => {
    const { code, stderr } = await runCli(['exec', 'orders', '--', ''], { env })
    expect([code, stderr]).toEqual([
      125,
      'jeton: the command after -- is empty: is a variable not set? jeton exec orders -- COMMAND …\n',
    ])
  })

  test.each(['token orders', 'exec orders -- psql'])('%s without a credential', async commandLine => {
    const { code, stdout, stderr } = await runCli(words(commandLine), { env: { JETON_URL: api.url } })
    expect([code, stdout]).toEqual([commandLine.startsWith('exec') ? 125 : 2, ''])
    expect(stderr).toMatch(
      /^jeton: no credential: set JETON_JWT_FILE .*JETON_JWT or JETON_API_KEY.*--jwt.*GitHub Actions.*\n$/,
    )
    expect(stderr).not.toContain('\\n')
  })

  test('words that control a terminal are escaped', async () => {
    const { stderr } = await runCli(['exec', 'or\u001b[2Jders', '\u202epsql'], { env })
    expect(stderr).toContain('jeton exec or\\u001b[2Jders -- \\u202epsql …')
  })
})

describe('options that are not known, or lack a value, end with where to look:', () => {
  test.each([
    ['exec orders --usr app -- psql', 125, "unknown option '--usr'\n(Did you mean --user?)"],
    ['exec orders --user -- psql', 125, "option '--user <name>' argument missing"],
    ['token', 2, "missing required argument 'database'"],
    ['token orders app', 2, "too many arguments for 'token'. Expected 1 argument but got 2."],
    ['token orders -u app', 2, "unknown option '-u'"],
    ['token orders --jwt', 2, "option '--jwt <file>' argument missing"],
  ])('%s', async (commandLine, code, problem) => {
    const [name] = words(commandLine)
    expect(await runCli(words(commandLine), { env })).toEqual({
      code,
      stdout: '',
      stderr: `error: ${problem}\njeton ${name} --help shows how it is called\n`,
    })
  })
})

test('what stands after -- is the command’s, whatever it is, and --help is jeton’s', async () => {
  api.answers = [{ body: sampleReply() }]
  const print = 'console.log(JSON.stringify(process.argv.slice(1)))'
  const args = ['--user', 'x', '--', '--help', '']
  const own = ['exec', 'orders', '--user', 'app_ro', '--', process.execPath, '-e', print, '--', ...args]
  const { stdout } = await runCli(own, { env })
  expect(JSON.parse(stdout)).toEqual(args)
  expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toMatchObject({ database: 'orders', user: 'app_ro' })
  expect((await runCli(['exec', '--help'], { env })).stdout).toContain('Usage: jeton exec <database>')
})

describe('a command that cannot be started says what to do:', () => {
  async function startFailure(command: string, ...args: string[]) {
    api.answers = [{ body: sampleReply() }]
    const { code, stderr } = await runCli(['exec', 'orders', '--', command, ...args], { env })
    return { code, stderr }
  }

  async function file(name: string, text: string, mode: number): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, text)
    await chmod(path, mode)
    return path
  }

  test.each([
    ['psqll', 'is not found: install it, add its folder to PATH, or give its path'],
    [
      'psql -c select',
      "is not found: give the command and its arguments as words of their own, or run sh -c '…'",
    ],
    ['PGAPPNAME=x', 'is not found: to set a variable for the command, run env NAME=VALUE COMMAND …'],
    ['/none/psql', 'is not found: there is no such file'],
  ])('%s', async (command, problem) => {
    expect(await startFailure(command)).toEqual({ code: 127, stderr: `jeton: ${command} ${problem}\n` })
  })

  test('a script without its interpreter, and one that is not executable', async () => {
    const orphan = await file('orphan', '#!/none/python\n', 0o755)
    expect(await startFailure(orphan)).toEqual({
      code: 127,
      stderr: `jeton: ${orphan} cannot start: the interpreter that its first line names is not found\n`,
    })
    const plain = await file('plain', 'echo\n', 0o644)
    expect(await startFailure(plain)).toEqual({
      code: 126,
      stderr: `jeton: ${plain} cannot be run (EACCES): make it executable (chmod +x), or run it by its interpreter, such as sh FILE\n`,
    })
  })

  test('a folder', async () => {
    const path = join(folder, 'folder')
    await mkdir(path)
    expect(await startFailure(path)).toEqual({
      code: 126,
      stderr: `jeton: ${path} cannot be run (EACCES): it is a folder\n`,
    })
  })

  test.each([
    ['E2BIG', 'its arguments and the environment are too long for this system'],
    ['EAGAIN', 'this system has no room for another process'],
  ])('what the system has no room for: %s', async (systemCode, why) => {
    expect(await explainStartFailure('psql', systemCode)).toEqual({
      problem: `cannot be run (${systemCode}): ${why}`,
      exitCode: 126,
    })
  })
})
