import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CredentialSources, findCredential } from '../../src/client/credential.ts'
import { CallerError, errorLine } from '../../src/client/errors.ts'
import type { Send } from '../../src/client/http.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { type ApiStub, someJwt, startApiStub } from '../support/service/api-stub.ts'

const jwt = someJwt()
const REAL_JWT = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzb21lb25lIn0.${'s'.repeat(86)}`
const API_KEY = `jeton_${'k'.repeat(43)}`
let folder: string
let github: ApiStub

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credential-'))
  github = await startApiStub()
  github.answers = [{ body: { value: jwt } }]
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  await github.close()
})

/** Where no metadata server answers. */
const sendDirectly: Send = () => Promise.reject(new Error('nobody there'))

function findIdentity(sources: Partial<CredentialSources>, send = createNodeSend()) {
  const all = { env: {}, stdin: stdinOf(''), sendDirectly, root: folder, ...sources }
  return findCredential(all, { send, clock: virtualClock() })
}

/** Returns a function that returns the credential that is found. */
function find(sources: Partial<CredentialSources>, send = createNodeSend()) {
  const identity = findIdentity(sources, send)
  identity.catch(() => {})
  return async () => (await identity).getCredential()
}

async function* stdinOf(text: string) {
  yield Buffer.from(text)
}

async function file(text: string): Promise<string> {
  const path = join(folder, 'jwt')
  await writeFile(path, text)
  return path
}

async function errorOf(act: () => unknown): Promise<CallerError> {
  const cause = await Promise.resolve()
    .then(act)
    .catch((cause: unknown) => cause)
  if (cause instanceof CallerError) return cause
  return expect.unreachable('nothing was refused')
}

describe('findCredential', () => {
  test('prefers the flag to everything in the environment', async () => {
    const env = { JETON_JWT: someJwt(), JETON_API_KEY: 'key' }
    expect(await find({ jwtFile: await file(`${jwt}\n`), env })()).toBe(`Bearer ${jwt}`)
  })

  test('never falls back if the flag is empty', async () => {
    expect((await errorOf(find({ jwtFile: '', env: { JETON_JWT: jwt } }))).message).toContain(
      'cannot read a JWT',
    )
  })

  test('reads stdin once, however often it is called', async () => {
    const credential = find({ jwtFile: '-', stdin: stdinOf(`${jwt}\r\n`) })
    expect([await credential(), await credential()]).toEqual([`Bearer ${jwt}`, `Bearer ${jwt}`])
  })

  test.each([
    ['JETON_JWT', API_KEY, 'JETON_JWT is an API key of jeton: set JETON_API_KEY to it instead'],
    ['JETON_API_KEY', REAL_JWT, 'JETON_API_KEY is a JWT: set JETON_JWT to it instead'],
    ['JETON_JWT', `Bearer ${REAL_JWT}`, 'JETON_JWT has the word Bearer in front of it: leave that out'],
    [
      'JETON_API_KEY',
      `ApiKey ${API_KEY}`,
      'JETON_API_KEY has the word ApiKey in front of it: leave that out',
    ],
    ['JETON_JWT', `"${REAL_JWT}"`, 'JETON_JWT has quotation marks around it: leave them out'],
    [
      'JETON_JWT',
      `{"value":"${REAL_JWT}"}`,
      'JETON_JWT is JSON: give the credential in it, and nothing else',
    ],
    [
      'JETON_JWT',
      '$JETON_TOKEN',
      'JETON_JWT is not a credential: it contains characters that no JWT and no API key has',
    ],
  ])('says what to do about something else in %s: %s', async (name, value, message) => {
    const error = await errorOf(find({ env: { [name]: value } }))
    expect(error).toMatchObject({ exitCode: 1, message })
  })

  test.each([REAL_JWT, ` Bearer ${REAL_JWT}\n`, API_KEY])(
    'never shows a credential where the path of its file is asked for',
    async value => {
      for (const [name, sources] of [
        ['JETON_JWT_FILE', { env: { JETON_JWT_FILE: value } }],
        ['--jwt', { jwtFile: value }],
      ] as const) {
        const { description } = await findIdentity(sources)
        const error = await errorOf(find(sources))
        expect(`${description}${errorLine(error)}`).not.toContain(value.trim().slice(-43))
        expect(error).toMatchObject({
          exitCode: 2,
          message: expect.stringMatching(`^${name} is a credential`),
        })
      }
    },
  )

  test('reads a pipe once, as that of --jwt <(COMMAND) is, and a file anew', async () => {
    const pipe = join(folder, 'pipe')
    await promisify(execFile)('mkfifo', [pipe])
    const credential = find({ jwtFile: pipe })
    const [first] = await Promise.all([credential(), writeFile(pipe, jwt)])
    expect([first, await credential()]).toEqual([`Bearer ${jwt}`, `Bearer ${jwt}`])
  })

  test('takes a JWT or an API key from the environment, and ignores an empty variable', async () => {
    expect(await find({ env: { JETON_JWT: ` ${jwt} ` } })()).toBe(`Bearer ${jwt}`)
    expect(await find({ env: { JETON_JWT: '', JETON_API_KEY: 'jeton_key\n' } })()).toBe('ApiKey jeton_key')
  })

  test('reads a file again each time, because Kubernetes rotates it', async () => {
    const path = await file(jwt)
    const credential = find({ env: { JETON_JWT_FILE: path } })
    await credential()
    const rotated = someJwt()
    await writeFile(path, rotated)
    expect(await credential()).toBe(`Bearer ${rotated}`)
  })

  test('takes the first that is set of the variables, and says which', async () => {
    const env = { JETON_JWT: jwt, JETON_JWT_FILE: await file(someJwt()), JETON_API_KEY: 'key' }
    expect(await find({ env })()).toBe(`Bearer ${jwt}`)
    expect((await findIdentity({ env })).description).toBe('the JWT in JETON_JWT')
    const { description } = await findIdentity({ env: { ...env, JETON_JWT: '' } })
    expect(description).toBe(`the JWT in ${env.JETON_JWT_FILE} (JETON_JWT_FILE)`)
    expect((await findIdentity({ env: { JETON_API_KEY: 'key' } })).description).toBe(
      'the API key in JETON_API_KEY',
    )
  })

  test('lists all ways to give a credential if there is none', async () => {
    const error = await errorOf(find({}))
    expect(error.exitCode).toBe(2)
    for (const source of ['--jwt', 'JETON_JWT', 'JETON_JWT_FILE', 'JETON_API_KEY', 'GitHub Actions'])
      expect(error.message).toContain(source)
  })

  test.each([
    ['a line break', `${'a.b'}\nX-Injected: 1`],
    ['a control character', 'a\u0000b'],
    ['a scheme', 'Bearer a.b.c'],
    ['letters beyond ASCII', 'a.b.ü'],
    ['nothing', ' \n'],
  ])('refuses a credential with %s in it without printing it', async (_what, text) => {
    const error = await errorOf(async () => find({ jwtFile: await file(text) })())
    expect(errorLine(error)).not.toContain('a.b')
    expect(error.exitCode).toBe(1)
    if (text.trim()) expect((await errorOf(find({ env: { JETON_API_KEY: text } }))).exitCode).toBe(1)
  })

  test('names a file that cannot be read, and stops reading one that never ends', async () => {
    expect((await errorOf(find({ jwtFile: join(folder, 'none') }))).message).toContain('none (ENOENT)')
    expect((await errorOf(find({ jwtFile: '/dev/zero' }))).message).toContain('longer than any JWT')
  })
})

describe('findCredential in GitHub Actions', () => {
  const secret = someJwt()
  const env = (over = {}) => ({
    GITHUB_ACTIONS: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    ...over,
  })

  test('asks GitHub each time, with the audience jeton, and keeps the query', async () => {
    const credential = find({ env: env() })
    expect(await credential()).toBe(`Bearer ${jwt}`)
    await credential()
    expect(github.requests).toHaveLength(2)
    expect(github.requests[0]).toMatchObject({
      method: 'GET',
      path: '/token?api-version=2.0&audience=jeton',
      authorization: `Bearer ${secret}`,
    })
  })

  test('asks for the audience in JETON_AUDIENCE, as one value', async () => {
    await find({ env: env({ JETON_AUDIENCE: 'https://a?b&c=d' }) })()
    const { searchParams } = new URL(github.requests[0]!.path, github.url)
    expect(searchParams.getAll('audience')).toEqual(['https://a?b&c=d'])
    expect(searchParams.has('c')).toBe(false)
  })

  test('says what to add if the job lacks the permission', async () => {
    const error = await errorOf(find({ env: { GITHUB_ACTIONS: 'true' } }))
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining('id-token: write') })
  })

  test.each([
    ['an error', { status: 403, body: { message: secret } }],
    ['no value', { body: { other: secret } }],
    ['no JSON', { body: `oops ${secret}` }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/steal' } }],
    ['more than it should', { body: { value: 'x'.repeat(2 * 1024 * 1024) } }],
    ['a value that is not a header', { body: { value: `x\n${secret}` } }],
  ])('fails without printing a secret if GitHub answers with %s', async (_what, answer) => {
    github.answers = [answer]
    const error = await errorOf(find({ env: env() }))
    expect(error.exitCode).toBe(1)
    expect(errorLine(error)).not.toContain(secret)
    expect(github.requests).toHaveLength(1)
  })

  test('never sends the request token unencrypted to another machine', async () => {
    const sent: unknown[] = []
    const send: Send = async ({ url }) => {
      sent.push(url)
      return { status: 200, headers: {}, body: Buffer.from('{}') }
    }
    await errorOf(
      find({ env: env({ ACTIONS_ID_TOKEN_REQUEST_URL: 'http://pipelines.example/token' }) }, send),
    )
    expect(sent).toEqual([])
  })
})
