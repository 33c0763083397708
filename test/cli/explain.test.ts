import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ExplainArguments, explainCommand } from '../../src/cli/explain.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { type Sound, sound, written as writtenConfig } from '../config/support.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { runCli } from '../support/service/jeton.ts'
import { recordStreams } from './record-streams.ts'

type Options = Omit<ExplainArguments, 'configPath' | 'claims'>

async function explain(config: object | string, claims: unknown, options: Options = {}) {
  const { streams, written } = recordStreams(typeof claims === 'string' ? claims : JSON.stringify(claims))
  const configPath = await writtenConfig(config)
  const exitCode = await explainCommand({ configPath, claims: '-', ...options }, streams)
  return { exitCode, ...written }
}

/** The sound configuration with a grant for each of these principals, by name. */
function granting(principals: Record<string, object>, change: (config: Sound) => object = () => ({})) {
  const config = sound()
  const grants = Object.entries(principals).map(([name, principal]) => ({
    ...config.grants[0],
    name,
    principal,
  }))
  return { ...config, ...change(config), grants }
}

const OWN = { iss: 'https://issuer.example', aud: 'jeton', sub: 'deployer' }
const DEPLOY = granting({
  far: { issuer: 'own', subject: 'x', claims: { team: 'y', env: ['prod', 'stage-*'] } },
  near: { issuer: 'own', subject: 'deployer', claims: { 'kubernetes.io': { pod: 'web' } } },
  hub: { issuer: 'github', claims: { repository_id: 1 } },
})

describe('jeton explain', () => {
  test('prints the grant that allows the request before those that refuse', async () => {
    const claims = { ...OWN, 'kubernetes.io': { pod: 'web' }, team: ['z'] }
    expect(await explain(DEPLOY, claims, { database: 'orders', user: 'migrator' })).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `principal: issuer own, subject deployer

near allows: database orders, users migrator
  holds   issuer: wanted own
  holds   database: wanted orders
  holds   user: wanted migrator
  holds   subject: wanted deployer
  holds   claim kubernetes.io.pod: wanted web

far refuses (3 of 6 conditions miss): database orders, users migrator
  holds   issuer: wanted own
  holds   database: wanted orders
  holds   user: wanted migrator
  misses  subject: wanted x, found "deployer"
  misses  claim team: wanted y, found ["z"]
  misses  claim env: wanted prod or stage-*, found nothing

hub refuses (2 of 4 conditions miss): database orders, users migrator
  misses  issuer: wanted github, found "own"
  holds   database: wanted orders
  holds   user: wanted migrator
  misses  claim repository_id: wanted 1, found nothing
`,
    })
  })

  test('knows when a grant is in force, and --at asks about another time', async () => {
    const config = sound()
    const grants = [
      {
        ...config.grants[0],
        principal: { issuer: 'own', subject: 'deployer' },
        notBefore: '2026-12-01T00:00:00Z',
        notAfter: '2026-12-31T18:00:00+01:00',
      },
    ]
    const request = { database: 'orders', user: 'migrator', now: Date.parse('2026-11-23T10:00:00Z') }
    const explainAt = (at?: string) => explain({ ...config, grants }, OWN, { ...request, at })
    expect(await explainAt()).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(
        /\n {2}misses {2}notBefore: wanted 2026-12-01T00:00:00Z, found "2026-11-23T10:00:00Z"\n {2}holds {3}notAfter: wanted 2026-12-31T17:00:00Z\n/,
      ),
    })
    expect(await explainAt('2026-12-24T18:00:00+01:00')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^principal: issuer own, subject deployer\ntime: 2026-12-24T17:00:00Z\n\n\S+ allows: /,
      ),
    })
    expect(await explainAt('2026-12-24T18:00:00')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'jeton: --at takes a time with a zone, like 2026-12-31T18:00:00Z\n',
    })
  })

  test('prints the nearest miss first if no grant allows the request', async () => {
    const { exitCode, stdout } = await explain(DEPLOY, OWN)
    expect(exitCode).toBe(3)
    expect(stdout.match(/^\w+ refuses/gm)).toEqual(['near refuses', 'far refuses', 'hub refuses'])
    expect(stdout).toMatch(/\nno grant allows it\n$/)
    const elsewhere = await explain(
      DEPLOY,
      { ...OWN, 'kubernetes.io': { pod: 'web' } },
      { database: 'ordres' },
    )
    expect(elsewhere.exitCode).toBe(3)
    expect(elsewhere.stdout).toContain('misses  database: wanted orders, found "ordres"')
  })

  test('reads claims from a file, and from standard input in any pieces', async () => {
    const configPath = await writtenConfig(granting({ it: { issuer: 'own', subject: 'déployer' } }))
    const text = Buffer.from(JSON.stringify({ ...OWN, sub: 'déployer' }))
    const claims = join(dirname(configPath), 'claims.json')
    await writeFile(claims, text)
    const fromFile = recordStreams()
    expect(await explainCommand({ configPath, claims }, fromFile.streams)).toBe(0)
    const fromStdin = recordStreams(...[...text].map(byte => Uint8Array.of(byte)))
    expect(await explainCommand({ configPath, claims: '-' }, fromStdin.streams)).toBe(0)
    expect(fromFile.written.stdout).toContain('déployer')
    expect(fromStdin.written).toEqual(fromFile.written)
  })

  test('explains an API key by its name', async () => {
    const config = granting({ keys: { issuer: 'apiKey', subject: 'night*' } })
    const nightly = { sub: 'nightly', iss: 'ignored', team: 'ignored' }
    expect(await explain(config, nightly, { issuer: 'apiKey' })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('principal: issuer apiKey, subject nightly\n'),
      stderr: '',
    })
    expect((await explain(config, { sub: 'daily' }, { issuer: 'apiKey' })).exitCode).toBe(3)
  })

  test('uses neither the network nor the files that the configuration names', async () => {
    const issuer = await startIssuer()
    onTestFinished(() => issuer.close())
    const config = {
      ...granting({ it: { issuer: 'pinned', subject: 'x' }, found: { issuer: 'live', subject: 'x' } }),
      server: { host: '0.0.0.0', tls: { cert: 'none.pem', key: 'none.pem' } },
      issuers: {
        pinned: { issuer: 'https://kubernetes.default.svc', audience: 'jeton', jwksFile: 'none.json' },
        other: { issuer: 'https://kubernetes.default.svc', audience: 'jeton', jwksFile: 'none.json' },
        live: { issuer: issuer.url, audience: 'jeton' },
      },
      audit: [{ type: 'file', path: 'none/audit.jsonl' }],
    }
    expect((await explain(config, { sub: 'x' }, { issuer: 'pinned' })).exitCode).toBe(0)
    expect((await explain(config, { iss: issuer.url, sub: 'x' })).exitCode).toBe(0)
    expect(issuer.requests).toEqual({ discovery: 0, keys: 0 })
  })

  test('lets claims neither control the terminal nor forge a line', async () => {
    const evil = 'x\u001b[2J\r\nit allows: \u202e\u009b'
    const config = granting({ it: { issuer: 'own', subject: 'y', claims: { 'a\u001b[1m': ['b\u0007'] } } })
    const { stdout, stderr } = await explain(config, { ...OWN, sub: evil, 'a\u001b[1m': [evil] })
    expect(stdout).toContain('x\\u001b[2J\\r\\nit allows: \\u202e\\u009b')
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]/u)
    expect(stdout.match(/^it /gm)).toHaveLength(1)
  })
})

describe('a JWT', () => {
  const NOW = Date.parse('2026-11-23T10:00:00Z')
  const iat = NOW / 1000 - 60
  const CLAIMS = { ...OWN, 'kubernetes.io': { pod: 'web' }, iat, exp: iat + 300 }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jwtOf = (claims: object, header: object = { alg: 'ES256', kid: 'k' }) =>
    `${encode(header)}.${encode(claims)}.${encode({ any: 'signature' })}`
  const explainJwt = async (claims: object, { header, ...options }: Options & { header?: object } = {}) => {
    const jwt = jwtOf(claims, header)
    const explained = await explain(DEPLOY, jwt, { now: NOW, ...options })
    for (const part of jwt.split('.')) expect(explained.stdout + explained.stderr).not.toContain(part)
    return explained
  }
  const UNVERIFIED = 'note: nothing of the JWT was verified, its signature least of all\n'

  test('is explained by its payload, and is never shown', async () => {
    const { exitCode, stdout, stderr } = await explainJwt(CLAIMS)
    expect([exitCode, stderr]).toEqual([0, UNVERIFIED])
    expect(stdout).toBe((await explain(DEPLOY, CLAIMS)).stdout)
  })

  test.each([
    ['a byte order mark and a line break', (jwt: string) => `\uFEFF${jwt}\r\n`],
    ['its scheme', (jwt: string) => `Bearer ${jwt}`],
    ['its whole header', (jwt: string) => `authorization: bearer ${jwt}\n`],
    ['line breaks in it', (jwt: string) => jwt.replace(/.{30}/g, '$&\n  ')],
  ])('may have %s', async (_, write) => {
    const { exitCode, stderr } = await explain(DEPLOY, write(jwtOf(CLAIMS)), { now: NOW })
    expect([exitCode, stderr]).toEqual([0, UNVERIFIED])
  })

  test.each<[string, object, object | undefined, string]>([
    ['has expired', { exp: iat }, undefined, 'it expired at 2026-11-23T09:59:00.000Z'],
    [
      'is not valid yet',
      { nbf: iat + 200 },
      undefined,
      'it is not valid yet, but from 2026-11-23T10:02:20.000Z',
    ],
    ['is for another audience', { aud: 'other' }, undefined, 'the audience of the JWT is not "jeton"'],
    ['lives too long', { exp: iat + 90_000 }, undefined, 'the JWT is valid for 90000 s'],
    ['is not signed', {}, { alg: 'none' }, 'the JWT must be signed with one of RS256'],
    ['is too long', { roles: 'x'.repeat(13_000) }, undefined, 'the JWT is longer than the 16384 bytes'],
    ['has no end', { exp: undefined }, undefined, 'the JWT has no "exp" claim'],
  ])('that %s is explained, with a note', async (_, claims, header, note) => {
    const { exitCode, stderr } = await explainJwt({ ...CLAIMS, ...claims }, header && { header })
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`note: jeton would refuse it: ${note}`)
    expect(stderr.match(/^note: /gm)).toHaveLength(2)
  })

  test('of an issuer that is not configured needs another name for it', async () => {
    const foreign = { ...CLAIMS, iss: 'https://other.example' }
    expect((await explainJwt(foreign)).exitCode).toBe(2)
    const { exitCode, stderr } = await explainJwt(foreign, { issuer: 'own' })
    expect([exitCode, stderr]).toEqual([0, `${UNVERIFIED}note: own accepts no JWT with this "iss"\n`])
  })
})

describe('a subject of GitHub that has ids', () => {
  const HUB = granting({
    older: { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/**' },
    claim: { issuer: 'github', claims: { sub: ['repo:acme/other:**', 'repo:acme/*:pull_request'] } },
    exact: { issuer: 'github', subject: 'repo:acme@7/orders@9:ref:refs/heads/main' },
    elsewhere: { issuer: 'github', subject: 'repo:acme/billing:**' },
  })
  const hintsFor = async (sub: string) => {
    const iss = 'https://token.actions.githubusercontent.com'
    const { stdout } = await explain(HUB, { iss, aud: 'jeton', sub })
    return stdout
      .split('\n\n')
      .filter(text => text.includes('  hint    this subject has ids'))
      .map(text => text.split(' ')[0])
  }

  test('is what a grant for the form without misses it for, and for nothing else', async () => {
    expect(await hintsFor('repo:acme@7/orders@9:ref:refs/heads/main')).toEqual(['older'])
    expect(await hintsFor('repo:acme@7/orders@9:pull_request')).toEqual(['claim'])
    expect(await hintsFor('repo:acme/orders:ref:refs/heads/main')).toEqual([])
    expect(await hintsFor('repo:acme@7/ledger@9:ref:refs/heads/main')).toEqual([])
    // names that only look alike
    expect(await hintsFor('repo:evil@7/acme/orders@9:ref:refs/heads/main')).toEqual([])
  })
})

describe('the issuer of the claims', () => {
  const clusters = granting({ it: { issuer: 'a', subject: 'x' } }, () => {
    const cluster = { issuer: 'https://kubernetes.default.svc', audience: 'jeton' }
    return {
      issuers: {
        a: { ...cluster, jwksFile: 'a.json' },
        b: { ...cluster, jwksFile: 'b.json' },
        c: { ...cluster, audience: 'other' },
      },
    }
  })
  const claims = { iss: 'https://kubernetes.default.svc', sub: 'x' }

  test('is identified by iss and aud, a string or a list', async () => {
    for (const aud of ['other', ['x', 'other']]) {
      const { stdout } = await explain(clusters, { ...claims, aud })
      expect(stdout).toMatch(/^principal: issuer c, /)
    }
  })

  test('must be named if only keys tell issuers apart', async () => {
    expect(await explain(clusters, { ...claims, aud: 'jeton' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('name one with --issuer (a, b)\n'),
    })
    expect(await explain(clusters, { ...claims, aud: 'jeton' }, { issuer: 'a' })).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
  })

  test('must be named if no issuer has their iss and aud', async () => {
    expect(await explain(clusters, { ...claims, aud: 'third' })).toMatchObject({
      exitCode: 2,
      stderr:
        'jeton: no configured issuer has this "iss" and "aud": name one with --issuer (a, b, c, or apiKey)\n',
    })
    expect((await explain(clusters, { sub: 'x' })).exitCode).toBe(2)
  })

  test('is named with a note if it would not accept them', async () => {
    for (const unacceptable of [
      { ...claims, aud: 'third' },
      { iss: 'https://x.example', sub: 'x' },
    ])
      expect(await explain(clusters, unacceptable, { issuer: 'a' })).toMatchObject({
        exitCode: 0,
        stderr: 'note: a accepts no JWT with this "iss" or "aud"\n',
      })
  })
})

describe('a usage error or a broken configuration', () => {
  test.each<[unknown, Options, string]>([
    ['s3cret', {}, 'jeton: the claims are neither JSON nor a JWT: give a JWT, or its payload\n'],
    ['eyJhbGciOi.s3cret.x', {}, 'jeton: the payload of the JWT is not JSON: is the JWT whole?\n'],
    ['eyJhbGciOi.W10.s3cret', {}, 'jeton: the claims are not a JSON object\n'],
    ['a.b.s3cret.d.e', {}, 'jeton: the JWT is encrypted, so only its receiver can read it\n'],
    ['[]', {}, 'jeton: the claims are not a JSON object\n'],
    [{ ...OWN, sub: undefined }, {}, 'jeton: the claims have no "sub", which every principal needs\n'],
    [{ ...OWN, sub: 7 }, {}, 'jeton: the claims have no "sub", which every principal needs\n'],
    [
      OWN,
      { issuer: 'toString' },
      'jeton: --issuer: the configuration has no issuer of that name; it has: github, own\n',
    ],
  ])('says what to do: %j %j', async (claims, options, stderr) => {
    expect(await explain(DEPLOY, claims, options)).toEqual({ exitCode: 2, stdout: '', stderr })
  })

  test('does not print a JWT that was given in place of a file', async () => {
    const { streams, written } = recordStreams()
    const configPath = await writtenConfig(DEPLOY)
    expect(await explainCommand({ configPath, claims: 'eyJhbGciOi.s3cret.x' }, streams)).toBe(2)
    expect(written.stderr).toContain('--claims')
    expect(written.stderr).not.toContain('s3cret')
  })

  test('throws ConfigError, which the command line prints', async () => {
    const broken = 'databases: {}\ngrants: {}'
    await expect(explain(broken, OWN)).rejects.toThrow(ConfigError)
    const config = await writtenConfig(broken)
    expect(await runCli(['explain', '--config', config, '--claims', '-'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${config}:2:1: error: grants: must be a list, as in [a, b]\n1 error\n`,
    })
  })
})
