import { describe, expect, test } from 'vitest'
import { checkCommand } from '../../src/cli/check.ts'
import { EXAMPLE, jwksText, sound, tlsFiles, written as writtenConfig } from '../config/support.ts'
import { recordStreams } from './record-streams.ts'

async function check(configPath: string, strict = false) {
  const { streams, written } = recordStreams()
  const exitCode = await checkCommand({ configPath, strict }, streams)
  return { exitCode, ...written }
}

describe('jeton check', () => {
  test('prints what a sound configuration has', async () => {
    const path = await writtenConfig(EXAMPLE, { ...tlsFiles(), 'cluster-jwks.json': jwksText() })
    expect(await check(path)).toEqual({
      exitCode: 0,
      stdout: 'ok: 1 database, 2 issuers, 1 API key, 1 grant\n',
      stderr: '',
    })
  })

  test('says how many grants are not in force, and warns of those that have ended', async () => {
    const { grants, ...config } = sound()
    const [grant] = grants
    const path = await writtenConfig({
      ...config,
      grants: [
        { ...grant, name: 'over', notAfter: '2020-12-31T18:00:00Z' },
        { ...grant, name: 'later', notBefore: '2999-12-31T18:00:00Z' },
      ],
      audit: [{ type: 'dynamodb', table: 'jeton-audit' }],
    })
    const { exitCode, stdout, stderr } = await check(path)
    expect([exitCode, stdout]).toEqual([
      0,
      'ok: 1 database, 2 issuers, 1 API key, 2 grants (1 not yet in force, 1 ended)\n',
    ])
    expect(stderr).toContain(
      'warning: grants[0] (over).notAfter: ended at 2020-12-31T18:00:00Z and is for nobody any more: leave it out\n',
    )
  })

  test('warns of what is doubtful, without failing', async () => {
    const { issuers, grants, ...config } = sound()
    const claims = { email: 'me@example.com', email_verified: true }
    const path = await writtenConfig({
      ...config,
      issuers: {
        ...issuers,
        google: { issuer: 'https://accounts.google.com', audience: 'jeton' },
        people: { issuer: 'https://acme.us.auth0.com/', audience: 'jeton' },
      },
      grants: [...grants, { ...grants[0], name: 'mine', principal: { issuer: 'google', claims } }],
      audit: [{ type: 'dynamodb', table: 'jeton-audit' }],
    })
    const { exitCode, stdout, stderr } = await check(path)
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'ok: 1 database, 4 issuers, 1 API key, 2 grants\n',
    })
    expect(stderr.replaceAll(path, 'FILE').trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^FILE:33:5: warning: issuers\.people: whoever signs up gets JWTs .*Auth0.*`tenancy: private`/,
      ),
      '  33 |     "people": {',
      '     |     ^^^^^^^^',
      expect.stringMatching(
        /^FILE:52:7: warning: grants\[1\] \(mine\)\.principal: only email pins the owner/,
      ),
      '  52 |       "principal": {',
      '     |       ^^^^^^^^^^^',
      '2 warnings',
    ])
    expect(await check(path, true)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: stderr.replace(/2 warnings\n$/, '2 warnings (with --strict, these are errors)\n'),
    })
  })

  test.each([
    ['emoji', '🚀', 2],
    ['Chinese', '数据', 4],
    ['fullwidth and halfwidth signs', 'ａｱ', 3],
    ['combining marks', 'e\u0301', 1],
    ['other letters', 'éя', 2],
  ])('marks what stands behind %s', async (_, wide, columns) => {
    const path = await writtenConfig(`{ "databases": {}, "grants": [], "${wide}": 1, "extra": 1 }`)
    const [, , , , line = '', caret = ''] = (await check(path)).stderr.split('\n')
    expect(line).toBe(`  1 | { "databases": {}, "grants": [], "${wide}": (hidden), "extra": (hidden) }`)
    expect(caret).toBe(`    | ${' '.repeat(47 + columns)}^^^^^^^`)
  })

  test('prints every problem with its place, the line and a caret', async () => {
    const { grants, ...config } = sound()
    const path = await writtenConfig({
      ...config,
      apiKeys: { nightly: {} },
      grants: [{ ...grants[0], users: ['x'] }],
    })
    const { exitCode, stdout, stderr } = await check(path)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr.replaceAll(path, 'FILE').trimEnd().split('\n')).toEqual([
      'FILE:14:5: error: apiKeys.nightly.sha256: is required',
      '  14 |     "nightly": {}',
      '     |     ^^^^^^^^^',
      'FILE:37:9: error: grants[0] (deploy).users[0]: is not among the users of databases.orders (app_ro, migrator)',
      '  37 |         "x"',
      '     |         ^^^',
      '2 errors',
    ])
  })

  test('names a configuration that cannot be read', async () => {
    const { exitCode, stdout, stderr } = await check('/nowhere/jeton.yaml')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^\/nowhere\/jeton\.yaml:1:1: error: cannot be read \(ENOENT\).+\n1 error\n$/)
  })
})
