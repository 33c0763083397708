import { beforeAll, describe, expect, test } from 'vitest'
import { HOST, leakIn, signWithAws } from '../client/decode/support.ts'
import { CLI, runCli } from '../support/service/jeton.ts'
import { hasTerminals, runInTerminal } from '../support/terminal.ts'

let token: string
let secrets: string[]
beforeAll(async () => {
  ;({ token, secrets } = await signWithAws())
})

const decode = (input: string, ...args: string[]) => runCli(['decode', ...args], { input })

describe('jeton decode', () => {
  test('reads a token from stdin, and says what it is for', async () => {
    const { code, stdout, stderr } = await decode(
      `${token}\n`,
      '--user',
      'migrator',
      '--host',
      `${HOST}:5432`,
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      new RegExp(
        [
          `^endpoint {5}${HOST}:5432 \\(an instance, or one of Aurora\\)`,
          'user {9}migrator',
          'region {7}us-east-1',
          'access key {3}ASIAQNZGKIQY56JQ7WML \\(of a role session, or other temporary credentials\\)',
          'signed at {4}20\\S+Z \\(\\d+ s ago\\)',
          'expires at {3}20\\S+Z \\(in 1[45] min\\)',
          `size {9}${token.length} bytes`,
          'fingerprint {2}[0-9a-f]{64}',
          '',
          'nothing is wrong that the text shows; .*jeton doctor\\n$',
        ].join('\\n'),
      ),
    )
    expect(leakIn(stdout, secrets)).toBeUndefined()
  })

  test('takes it as an argument, too, and - for stdin', async () => {
    expect((await runCli(['decode', token])).code).toBe(0)
    expect((await decode(token, '-')).code).toBe(0)
  })

  test('exits with 1 for what is wrong, without the token', async () => {
    const { code, stdout, stderr } = await decode(`"https://${token.slice(0, 1024)}`, '--user', 'app')
    expect([code, stderr]).toEqual([1, ''])
    const wrong = stdout.split('\n').filter(line => line.startsWith('wrong: '))
    expect(wrong.map(line => line.split(':')[1])).toEqual([
      ' there are quotation marks around it, which are part of the password to a database',
      ' a scheme such as https',
      ' it is cut',
      ' it is for another database user than the one to compare with',
    ])
    expect(leakIn(stdout, secrets)).toBeUndefined()
  })

  test('as JSON, with codes for scripts', async () => {
    const sound = await decode(token, '-o', 'json')
    expect(JSON.parse(sound.stdout)).toEqual({
      host: HOST,
      port: 5432,
      user: 'migrator',
      region: 'us-east-1',
      service: 'rds-db',
      accessKeyId: 'ASIAQNZGKIQY56JQ7WML',
      signedAt: expect.stringMatching(/^20\S+Z$/),
      expiresAt: expect.stringMatching(/^20\S+Z$/),
      expiresIn: expect.any(Number),
      bytes: token.length,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      problems: [],
    })
    const broken = await decode('hunter2', '-o', 'json')
    expect(broken.code).toBe(1)
    expect(JSON.parse(broken.stdout)).toEqual({
      bytes: 7,
      problems: [{ code: 'not_a_token', message: expect.stringContaining('not a token') }],
    })
  })

  test('a user who would write on the terminal is escaped', async () => {
    const { token: hostile } = await signWithAws({ username: 'a\u001b[2J\u202eb' })
    expect((await decode(hostile)).stdout).toContain('user         a\\u001b[2J\\u202eb\n')
  })

  test.each([
    [['-o', 'yaml'], 'jeton: -o takes one of text, json\n'],
    [['--host', 'https://x/'], 'jeton: --host takes HOST or HOST:PORT\n'],
    [['--hots', 'x'], "error: unknown option '--hots'"],
    [['a', 'b'], "error: too many arguments for 'decode'"],
  ])('%j is a usage error', async (args, problem) => {
    const { code, stdout, stderr } = await decode(token, ...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(problem)
  })

  test('a token in the place of a command or an option is not repeated', async () => {
    for (const args of [
      [token],
      [`--${token}`],
      ['decode', `--${token}`],
      ['decode', `-x${token.slice(0, 300)}\n${token}`],
    ]) {
      const { code, stderr } = await runCli(args)
      expect([code, leakIn(stderr, secrets)]).toEqual([2, undefined])
      expect(stderr).toMatch(/^error: unknown (?:command|option) '.{20}'\n/)
    }
  })

  test('more than any token is refused', async () => {
    const { code, stderr } = await decode('x'.repeat(70_000))
    expect([code, stderr]).toEqual([1, 'jeton: standard input is longer than any token (65536 bytes)\n'])
  })
})

describe.runIf(hasTerminals)('jeton decode on a terminal', () => {
  const shown = async (env: Record<string, string>) => {
    const command = `${process.execPath} ${CLI} decode '${token.slice(0, 256)}'; echo "exit $?"`
    return (await runInTerminal(command, { env })).stdout
  }

  test('has marks and colours, and without colours the same words', async () => {
    const coloured = await shown({})
    expect(coloured).toContain(
      '\u001b[31m✗\u001b[39m \u001b[31mwrong:\u001b[39m it is cut: it ends after 256 bytes',
    )
    expect(coloured).toContain('exit 1')
    const plain = await shown({ NO_COLOR: '1' })
    expect(plain).toContain('✗ wrong: it is cut')
    expect(plain).not.toContain('\u001b')
  })

  test('says what to do if nothing comes', async () => {
    const command = `stty -echo; ${process.execPath} ${CLI} decode; echo "exit $?"`
    const { stdout } = await runInTerminal(command, { env: {}, input: `${token}\n\u0004` })
    expect(stdout).toContain('paste the token, then press Enter and Ctrl-D')
    expect(stdout).toContain('nothing is wrong')
    expect(stdout).toContain('exit 0')
  })
})
