import { describe, expect, test } from 'vitest'
import { checkCommand } from '../../src/cli/check.ts'
import { EXAMPLE, jwksText, sound, tlsFiles, written as writtenConfig } from '../config/support.ts'
import { recordStreams } from './record-streams.ts'

async function check(path: string) {
  const { streams, written } = recordStreams()
  const exitCode = await checkCommand(path, streams)
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
    })
    const { exitCode, stdout, stderr } = await check(path)
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'ok: 1 database, 4 issuers, 1 API key, 2 grants\n',
    })
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^warning: issuers\.people: whoever signs up gets JWTs .*Auth0.*`tenancy: private`/,
      ),
      expect.stringMatching(/^warning: grants\[1\]\.principal: only email pins the owner/),
    ])
  })

  test('prints every problem on a line of its own', async () => {
    const { grants, ...config } = sound()
    const path = await writtenConfig({
      ...config,
      apiKeys: { nightly: {} },
      grants: [{ ...grants[0], users: ['x'] }],
    })
    const { exitCode, stdout, stderr } = await check(path)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^apiKeys\.nightly\.sha256: .+\ngrants\[0\]\.users\[0\]: .+\n$/)
  })

  test('names a configuration that cannot be read', async () => {
    const { exitCode, stdout, stderr } = await check('/nowhere/jeton.yaml')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^\/nowhere\/jeton\.yaml .*ENOENT/)
  })
})
