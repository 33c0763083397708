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
    ['eyJhbGciOi.s3cret.x', {}, 'jeton: the claims are not JSON: give the payload of a JWT, not the JWT\n'],
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
