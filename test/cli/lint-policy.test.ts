import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LintPolicyArguments, lintPolicyCommand } from '../../src/cli/lint-policy.ts'
import { sound, written as writtenConfig } from '../config/support.ts'
import { policy, USER } from '../iam/lint/support.ts'
import { recordStreams } from './record-streams.ts'

const BROAD = policy({ Resource: '*' })
const INSTANCE = policy({ Resource: 'arn:aws:rds:us-east-1:123456789012:db:orders' })

async function lint(stdin: unknown, args: Partial<LintPolicyArguments> = {}) {
  const { streams, written } = recordStreams(typeof stdin === 'string' ? stdin : JSON.stringify(stdin))
  const exitCode = await lintPolicyCommand({ files: ['-'], output: 'text', ...args }, streams)
  return { exitCode, ...written }
}

describe('jeton lint-policy', () => {
  test('prints ok if there is nothing to find', async () => {
    expect(await lint(policy())).toEqual({ exitCode: 0, stdout: 'ok: 1 statement\n', stderr: '' })
  })

  test('fails for what never works, and with --strict for what is too broad too', async () => {
    expect(await lint(INSTANCE)).toMatchObject({ exitCode: 1, stderr: '' })
    expect(await lint(BROAD)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^-: Statement\[0\]\.Resource: warning: a wildcard for .*\(too-broad\)\n$/,
      ),
    })
    expect((await lint(BROAD, { strict: true })).exitCode).toBe(1)
    expect((await lint(policy(), { strict: true })).exitCode).toBe(0)
  })

  test('prints JSON for programs', async () => {
    const { exitCode, stdout } = await lint(INSTANCE, { output: 'json' })
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      findings: [
        {
          file: '-',
          severity: 'error',
          rule: 'resource',
          path: 'Statement[0].Resource',
          message: expect.stringContaining('on which rds-db:connect never works'),
        },
      ],
    })
    expect(JSON.parse((await lint(policy(), { output: 'json' })).stdout)).toEqual({ findings: [] })
  })

  test('compares several files with a configuration as one', async () => {
    const configPath = await writtenConfig(sound())
    const files = ['one.json', 'two.json'].map(name => join(dirname(configPath), name))
    await writeFile(files[0] ?? '', JSON.stringify(policy()))
    await writeFile(files[1] ?? '', JSON.stringify(policy({ Resource: USER.replace('app_ro', 'migrator') })))
    expect(await lint('', { files, configPath })).toMatchObject({ exitCode: 0, stdout: 'ok: 2 statements\n' })
    const onlyFirst = await lint('', { files: files.slice(0, 1), configPath })
    expect(onlyFirst.exitCode).toBe(1)
    expect(onlyFirst.stdout).toMatch(
      /jeton\.yaml: databases\.orders\.users\[1\]: error: no statement allows rds-db:connect on \S+migrator: .*\(not-covered\)\n$/,
    )
    const elsewhere = await lint(policy({ Resource: USER.replace('us-east-1', 'us-west-2') }), { configPath })
    expect(elsewhere.stdout).toContain('-: Statement[0].Resource: error: us-west-2 is not the region of')
  })

  test.each([
    ['{"a": }', '- is not JSON: see line 1, column 7'],
    ['a: [\n', '- is not YAML: see line'],
    ['{"Version": "2012-10-17"}', '- contains no policy: nothing in it has a Statement'],
    ['', '- contains no policy'],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, '- is nested too deeply'],
  ])('refuses %.20s and says what is wrong', async (text, message) => {
    const { exitCode, stdout, stderr } = await lint(text)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(`jeton: ${message}`)
  })

  test('refuses a file that cannot be read', async () => {
    expect(await lint('', { files: ['/nowhere/x\u001b.json'] })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'jeton: /nowhere/x\\u001b.json cannot be read (ENOENT)\n',
    })
  })

  test('lets a policy neither control the terminal nor forge a line', async () => {
    const evil = 'x\u001b[2J\r\n-: ok: \u202e\u009b\u2028'
    const statement = { Resource: evil, Condition: { [`Bool${evil}`]: { 'AWS:SourceIp': evil } } }
    const text = await lint({ [evil]: policy(statement) })
    expect(text.stdout).toContain('x\\u001b[2J\\r\\n-: ok: \\u202e\\u009b\\u2028')
    expect(text.stdout.split('\n')).toHaveLength(3)
    const json = await lint({ [evil]: policy(statement) }, { output: 'json' })
    for (const { stdout } of [text, json]) expect(stdout).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(json.stdout).findings[0].message).toContain(evil)
    const broken = await lint(`a: "\u001b\n${evil}: [`)
    expect(broken.stderr).not.toMatch(/[^\P{C}\n]/u)
  })
})
