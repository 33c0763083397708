import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ExplainArguments, explainCommand } from '../../src/cli/explain.ts'
import { type Sound, sound, written } from '../config/support.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { arriving, recordedOutput } from './streams.ts'

type Asked = Omit<ExplainArguments, 'configPath' | 'claims'>

async function explain(config: object | string, claims: unknown, asked: Asked = {}) {
  const io = recordedOutput()
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const configPath = await written(config)
  const exitCode = await explainCommand(
    { configPath, claims: '-', ...asked },
    { ...io, stdin: arriving(text) },
  )
  return { exitCode, stdout: io.stdout(), stderr: io.stderr() }
}

/** The sound configuration with grants for these principals, each with its name. */
function granting(principals: Record<string, object>, more: (config: Sound) => object = () => ({})) {
  const config = sound()
  const grants = Object.entries(principals).map(([name, principal]) => ({
    ...config.grants[0],
    name,
    principal,
  }))
  return { ...config, ...more(config), grants }
}

const OWN = { iss: 'https://issuer.example', aud: 'jeton', sub: 'deployer' }
const DEPLOY = granting({
  far: { issuer: 'own', subject: 'x', claims: { team: 'y', env: ['prod', 'stage-*'] } },
  near: { issuer: 'own', subject: 'deployer', claims: { 'kubernetes.io': { pod: 'web' } } },
  hub: { issuer: 'github', claims: { repository_id: 1 } },
})

describe('jeton explain', () => {
  test('shows the grant that allows it, before those that refuse', async () => {
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

  test('puts the nearest miss first where none allows it', async () => {
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

  test('reads claims from a file, and from standard input in whatever pieces', async () => {
    const configPath = await written(granting({ it: { issuer: 'own', subject: 'déployer' } }))
    const text = Buffer.from(JSON.stringify({ ...OWN, sub: 'déployer' }))
    const claims = join(dirname(configPath), 'claims.json')
    await writeFile(claims, text)
    const [fromFile, fromStdin] = [recordedOutput(), recordedOutput()]
    expect(await explainCommand({ configPath, claims }, { ...fromFile, stdin: arriving() })).toBe(0)
    const pieces = [...text].map(byte => Uint8Array.of(byte))
    const stdin = arriving(...pieces)
    expect(await explainCommand({ configPath, claims: '-' }, { ...fromStdin, stdin })).toBe(0)
    expect(fromStdin.stdout()).toBe(fromFile.stdout())
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

  test('neither asks the network nor reads the files that the configuration names', async () => {
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

  test('lets claims neither write to the terminal nor forge a line', async () => {
    const evil = 'x\u001b[2J\r\nit allows: \u202e\u009b'
    const config = granting({ it: { issuer: 'own', subject: 'y', claims: { 'a\u001b[1m': ['b\u0007'] } } })
    const { stdout, stderr } = await explain(config, { ...OWN, sub: evil, 'a\u001b[1m': [evil] })
    expect(stdout).toContain('x\\u001b[2J\\r\\nit allows: \\u202e\\u009b')
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]/u)
    expect(stdout.match(/^it /gm)).toHaveLength(1)
  })
})

describe('whose JWT it is', () => {
  const clusters = granting({ it: { issuer: 'a', subject: 'x' } }, () => {
    const one = { issuer: 'https://kubernetes.default.svc', audience: 'jeton' }
    return {
      issuers: {
        a: { ...one, jwksFile: 'a.json' },
        b: { ...one, jwksFile: 'b.json' },
        c: { ...one, audience: 'other' },
      },
    }
  })
  const claims = { iss: 'https://kubernetes.default.svc', sub: 'x' }

  test('is told by iss and aud, whether aud is one or a list', async () => {
    for (const aud of ['other', ['x', 'other']]) {
      const { stdout } = await explain(clusters, { ...claims, aud })
      expect(stdout).toMatch(/^principal: issuer c, /)
    }
  })

  test('has to be said where keys alone would tell', async () => {
    expect(await explain(clusters, { ...claims, aud: 'jeton' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'jeton: keys alone tell whose JWT it is: say it by --issuer (a, b)\n',
    })
    expect(await explain(clusters, { ...claims, aud: 'jeton' }, { issuer: 'a' })).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
  })

  test('has to be said where no issuer is that', async () => {
    expect(await explain(clusters, { ...claims, aud: 'third' })).toMatchObject({
      exitCode: 2,
      stderr:
        'jeton: no configured issuer has their "iss" and "aud": name one by --issuer (a, b, c, or apiKey)\n',
    })
    expect((await explain(clusters, { sub: 'x' })).exitCode).toBe(2)
  })

  test('is noted where the issuer that was named would not take it', async () => {
    for (const odd of [
      { ...claims, aud: 'third' },
      { iss: 'https://x.example', sub: 'x' },
    ])
      expect(await explain(clusters, odd, { issuer: 'a' })).toMatchObject({
        exitCode: 0,
        stderr: 'note: a JWT with this "iss" or "aud" is none that a accepts\n',
      })
  })
})

describe('wrong usage and a broken configuration', () => {
  test.each<[unknown, Asked, string]>([
    ['eyJhbGciOi.s3cret.x', {}, 'jeton: the claims are not JSON: give the payload of a JWT, not the JWT\n'],
    ['[]', {}, 'jeton: the claims are no JSON object\n'],
    [{ ...OWN, sub: undefined }, {}, 'jeton: the claims lack "sub", which every principal has\n'],
    [{ ...OWN, sub: 7 }, {}, 'jeton: the claims lack "sub", which every principal has\n'],
    [OWN, { issuer: 'toString' }, 'jeton: --issuer: there is none of that name (github, own)\n'],
  ])('tells what to do: %j %j', async (claims, asked, stderr) => {
    expect(await explain(DEPLOY, claims, asked)).toEqual({ exitCode: 2, stdout: '', stderr })
  })

  test('does not show a JWT that stands in place of a file', async () => {
    const io = recordedOutput()
    const configPath = await written(DEPLOY)
    const world = { ...io, stdin: arriving() }
    expect(await explainCommand({ configPath, claims: 'eyJhbGciOi.s3cret.x' }, world)).toBe(2)
    expect(io.stderr()).toContain('--claims')
    expect(io.stderr()).not.toContain('s3cret')
  })

  test('tells what is wrong with the configuration', async () => {
    expect(await explain('databases: {}\ngrants: {}', OWN)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'grants: must be a list, as in [a, b]\n',
    })
  })
})
