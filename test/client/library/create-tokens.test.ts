import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTokensWith } from '../../../src/client/library/tokens.ts'
import type { TokensOptions } from '../../../src/client/library/types.ts'
import { createPrivateFolder } from '../../../src/dev/private-folder.ts'
import type { Environment } from '../../../src/lib/process-input.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { run } from '../../support/run.ts'
import { type ApiStub, problem, sampleReply, someJwt, startApiStub } from '../../support/service/api-stub.ts'

let api: ApiStub
beforeEach(async () => {
  api = await startApiStub()
  api.answers = [{ body: sampleReply() }]
})
afterEach(() => api.close())

function tokensWith(
  options: Partial<TokensOptions> = {},
  env: Environment = {},
  clock: VirtualClock = virtualClock(),
) {
  const base = { database: 'orders', url: api.url, waitMs: 0 }
  return createTokensWith({ ...base, ...options }, { env, clock, monotonic: clock })
}

function failureOf(options: Partial<TokensOptions>, env: Environment = {}) {
  const clock = virtualClock()
  const getting = untilSettled(tokensWith(options, env, clock).get(), clock)
  return getting.then(
    () => expect.unreachable(),
    cause => cause,
  )
}

/** Moves the clock on while something is awaited, such as the answer of a metadata server that is not there. */
async function untilSettled<T>(work: Promise<T>, clock: VirtualClock): Promise<T> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  work.then(settle, settle)
  while (!isSettled) {
    await pause(2)
    await clock.advance(100)
  }
  return work
}

/** A pod without a projected token, in which nothing but Google's metadata server could say who it is. */
const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1', AWS_EC2_METADATA_DISABLED: 'true' }

const lastRequest = () => api.requests.at(-1)

test('asks for what the options name, with the certificates', async () => {
  const jwt = someJwt()
  await tokensWith({ user: 'app_ro', credential: jwt }).get()
  expect(lastRequest()).toMatchObject({ method: 'POST', path: '/v1/tokens', authorization: `Bearer ${jwt}` })
  expect(JSON.parse(lastRequest()?.body ?? '')).toEqual({ database: 'orders', user: 'app_ro', caPem: true })
})

test('asks nothing before the first call, and finds server and caller in the environment', async () => {
  const tokens = tokensWith({ url: undefined }, { JETON_URL: api.url, JETON_API_KEY: 'some-key' })
  expect(api.requests).toEqual([])
  await tokens.get()
  expect(lastRequest()?.authorization).toBe('ApiKey some-key')
})

test('asks a function for the credential before each request', async () => {
  const jwts = [someJwt(), someJwt()]
  api.answers = [problem(401, 'unauthenticated'), { body: sampleReply() }]
  const tokens = tokensWith({ credential: async () => jwts[api.requests.length] ?? '' })
  await expect(tokens.get()).rejects.toMatchObject({ code: 'unauthenticated' })
  await tokens.get()
  expect(api.requests.map(({ authorization }) => authorization)).toEqual(jwts.map(jwt => `Bearer ${jwt}`))
})

test('says what the server said in a TokenError, and as whom it refused', async () => {
  const principal = { issuer: 'github', subject: 'repo:acme/orders' }
  api.answers = [problem(403, 'access_denied', { principal, auditId: 'audit-1' })]
  expect(await failureOf({ credential: someJwt() })).toMatchObject({
    name: 'TokenError',
    message:
      'no token for orders: why: access_denied; you are "repo:acme/orders" of the issuer "github", the credential is that given to createTokens',
    code: 'access_denied',
    isTemporary: false,
    requestId: 'req-1',
    auditId: 'audit-1',
  })
})

test('says when to come back, as the server does', async () => {
  api.answers = [{ ...problem(429, 'throttled'), headers: { 'retry-after': '7' } }]
  expect(await failureOf({ credential: someJwt() })).toMatchObject({
    code: 'throttled',
    isTemporary: true,
    retryAfterMs: 7000,
  })
})

test.each<[string, Partial<TokensOptions>, string]>([
  ['no server', { url: undefined }, 'no server: give createTokens a url, or set JETON_URL'],
  ['a file that is not there', { serverCa: '/nonexistent/ca.pem' }, 'serverCa'],
  ['a credential in two lines', { credential: 'a\nsecret-b' }, 'neither a JWT nor'],
  ['a function that returns none', { credential: () => undefined as unknown as string }, 'neither a JWT nor'],
  [
    'a file that is named by its option',
    { credential: undefined, jwtFile: '/nonexistent/jwt' },
    '/nonexistent/jwt',
  ],
])('says what is wrong with its options: %s', async (_, options, message) => {
  const error = await failureOf({ credential: someJwt(), ...options })
  expect(error).toMatchObject({
    name: 'TokenError',
    isTemporary: false,
    message: expect.stringContaining(message),
  })
  expect(inspect(error)).not.toContain('secret-b')
  expect(api.requests).toEqual([])
})

test('a function for the credential that fails is the cause, and what it says is not shown', async () => {
  const cause = new Error('vault: token s.secret-c is not valid')
  const error = await failureOf({ credential: () => Promise.reject(cause) })
  expect(error).toMatchObject({
    message: 'no token for orders: the function that gives createTokens its credential failed',
    cause,
  })
})

test('says how a library is given a credential, not a command', async () => {
  const { message } = await failureOf({}, POD)
  expect(message).toContain('give createTokens a jwtFile or a credential')
  expect(message).not.toContain('--')
  api.answers = [problem(401, 'unauthenticated')]
  const folder = await createPrivateFolder({ name: 'test' })
  onTestFinished(() => folder.remove())
  const jwtFile = join(folder.path, 'jwt')
  await writeFile(jwtFile, someJwt())
  expect((await failureOf({ jwtFile })).message).toContain(`the JWT in ${jwtFile} (jwtFile)`)
})

test('waits for a credential that a platform does not have yet', async () => {
  const answers = [undefined, someJwt()]
  const env = {
    ...POD,
    get JETON_JWT() {
      return answers.shift()
    },
  }
  const clock = virtualClock()
  const token = await untilSettled(tokensWith({ waitMs: 10_000 }, env, clock).get(), clock)
  expect(token).toMatchObject({ database: 'orders' })
})

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('a `waitMs` of %s is no time to wait for', waitMs => {
  expect(() => tokensWith({ waitMs })).toThrow(TypeError)
})

test('options for another engine are refused', async () => {
  const tokens = tokensWith({ credential: someJwt() })
  for (const options of [() => tokens.mysql2(), () => tokens.mariadb()])
    await expect(options()).rejects.toThrow('the database orders is postgres, and these options are for')
  await expect(tokens.pg()).resolves.toMatchObject({ user: 'app_ro', port: 5432 })
})

test('nothing of it shows a token or a credential', async () => {
  const reply = sampleReply()
  const jwt = someJwt()
  api.answers = [{ body: reply }]
  const tokens = tokensWith({ credential: jwt })
  const options = await tokens.pg()
  for (const value of [tokens, options]) {
    const text = `${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)} ${value}`
    expect(text).not.toContain(jwt)
    expect(text).not.toContain('X-Amz-Signature')
  }
})

test('a program ends by itself once its last call has returned', async () => {
  const folder = await createPrivateFolder({ name: 'test' })
  onTestFinished(() => folder.remove())
  const jwtFile = join(folder.path, 'jwt')
  await writeFile(jwtFile, someJwt())
  const script = `import { createTokens } from 'jeton/client'
    const orders = createTokens({ database: 'orders' })
    await orders.pg()
    console.log((await orders.get()).fingerprint.length)`
  // a timer or a connection that is left would keep it alive until the test gives up
  expect(
    await run(process.execPath, ['--input-type=module', '-e', script], {
      env: { JETON_URL: api.url, JETON_JWT_FILE: jwtFile },
    }),
  ).toEqual({ code: 0, stdout: '64\n', stderr: '' })
})
