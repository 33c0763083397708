import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TokenArguments, tokenCommand } from '../../src/cli/token.ts'
import type { CallerContext } from '../../src/cli/token-options.ts'
import type { Send } from '../../src/client/http.ts'
import { codedError, NoTunnel, networkFailure } from '../../src/client/network-failure.ts'
import {
  type Authority,
  createAuthority,
  type IssueOptions,
} from '../../src/dev/postgres/certificate-authority.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { startEgressProxy } from '../support/egress/egress-proxy.ts'
import { startSocketServer } from '../support/egress/socket-server.ts'
import { startTlsFront } from '../support/egress/tls-front.ts'
import { problem, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'
import { recordStreams } from './record-streams.ts'

const jwt = someJwt()
let folder: string
let authority: Authority
let caFile: string
const closables: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'network-'))
  authority = createAuthority()
  caFile = await file('ca.pem', authority.caPem)
})
afterEach(async () => {
  await Promise.all(closables.splice(0).map(close => close()))
  await rm(folder, { recursive: true })
})

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

/** Ends it after the test. */
function during<T extends { close(): Promise<unknown> }>(closable: T): T {
  closables.push(() => closable.close())
  return closable
}

async function run(
  args: Partial<TokenArguments>,
  env: Record<string, string> = {},
  {
    waits,
    ...sources
  }: Pick<CallerContext, 'sendDirectly' | 'root'> & { waits?: Pick<Clock, 'now' | 'sleep'> } = {},
) {
  const { streams, written } = recordStreams()
  const exitCode = await tokenCommand(
    { database: 'orders', ...args },
    {
      ...streams,
      ...sources,
      env: { JETON_JWT: jwt, ...env },
      lookup: async address => ({ address }),
      clock: { ...virtualClock(), ...waits },
    },
  )
  expect(written.stderr).not.toContain(jwt)
  return { exitCode, ...written }
}

async function startServer() {
  const api = during(await startApiStub())
  api.answers = [{ body: sampleReply() }]
  return api
}

async function startSecureServer(names: readonly string[], options: IssueOptions = {}) {
  const api = await startServer()
  const { port } = during(await startTlsFront(api.url, authority.issue(names, options)))
  return { api, port, url: `https://127.0.0.1:${port}` }
}

const failed = (message: string, exitCode = 1) => ({ exitCode, stdout: '', stderr: `jeton: ${message}\n` })

describe('an error says what to do:', () => {
  test('http to a port of TLS, which ends at once even with --wait', async () => {
    const { port } = await startSecureServer(['127.0.0.1'])
    expect(await run({ url: `http://127.0.0.1:${port}`, wait: '60' })).toEqual(
      failed(
        `127.0.0.1:${port} cannot be reached (TLS_EXPECTED): it speaks TLS there, so write https://127.0.0.1:${port}`,
      ),
    )
  })

  test('https to a port without TLS', async () => {
    const { host } = new URL((await startServer()).url)
    expect(await run({ url: `https://${host}`, wait: '60' })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/ cannot be reached \(\w+\): it speaks no TLS there, so write http:\/\//),
    })
  })

  test('a port where nobody speaks HTTP', async () => {
    const { port } = during(await startSocketServer(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
    expect(await run({ url: `http://127.0.0.1:${port}` })).toEqual(
      failed(
        `127.0.0.1:${port} cannot be reached (HPE_INVALID_CONSTANT): it does not speak HTTP there: is the port right?`,
      ),
    )
  })

  test.each([
    ['http://127.0.0.1:8o80', 'its port has to be a number, 65535 at most'],
    ['https://[::1]:99999/x', 'its port has to be a number, 65535 at most'],
    ['"https://jeton.example.com"', 'it has quotation marks in it, which do not belong to it'],
    ['https://jeton.example.com :443', 'there is white space in it'],
    ['$JETON_SERVER', 'a variable in it has not been replaced by its value'],
    ['jeton.example.com', 'it has to begin with https://, as https://jeton.example.com does'],
    ['https://', 'give one like https://jeton.example.com'],
  ])('what is no URL: %s', async (url, fault) => {
    expect(await run({}, { JETON_URL: url })).toEqual(failed(`JETON_URL is not a URL: ${fault}`, 2))
  })

  test.each([
    ['/v1/tokens', '', '/v1/tokens'],
    ['/v1/tokens/', '', '/v1/tokens'],
    ['/v1/databases?x=secret', '', '/v1/databases'],
    ['/stage/healthz', '/stage', '/healthz'],
    ['/v1/v1/tokens', '/v1', '/v1/tokens'],
  ])('a path of the API in the URL: %s', async (path, base, shown) => {
    const api = await startServer()
    const usageError = (name: string) =>
      failed(`${name} has ${shown} in it, which is a path of jeton's API: write ${api.url}${base}`, 2)
    expect(await run({}, { JETON_URL: `${api.url}${path}` })).toEqual(usageError('JETON_URL'))
    expect(await run({ url: `${api.url}${path}` })).toEqual(usageError('--url'))
    expect(api.requests).toEqual([])
  })

  test('takes a path that only looks like the API’s, such as a stage of a gateway', async () => {
    const api = await startServer()
    expect(await run({ url: `${api.url}/v1/` })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(api.requests[0]?.path).toBe('/v1/v1/tokens')
  })

  test('a path that the server does not have', async () => {
    const api = await startServer()
    api.answers = [problem(404, 'not_found', { detail: 'there is nothing at this path' })]
    expect(await run({ url: `${api.url}/v1/` })).toEqual(
      failed(
        "there is nothing at this path: is the path /v1 in the server's URL right? (not_found, request id req-1)",
        3,
      ),
    )
    expect((await run({ url: api.url })).stderr).toContain('nothing at this path (not_found')
  })

  test('a server that wants a certificate of the caller, which jeton has not', async () => {
    const { certPem: cert, keyPem: key } = authority.issue(['127.0.0.1'])
    const server = createServer({ cert, key, ca: authority.caPem, requestCert: true }, socket => socket.end())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closables.push(async () => server.close())
    const { port } = server.address() as AddressInfo
    expect((await run({ url: `https://127.0.0.1:${port}`, serverCa: caFile })).stderr).toMatch(
      /^jeton: 127\.0\.0\.1:\d+ cannot be reached \(\w+\): TLS failed: [\w ]*certificate required\n$/,
    )
  })

  test('a private CA', async () => {
    const { api, port, url } = await startSecureServer(['127.0.0.1'])
    expect(await run({ url, wait: '60' })).toEqual(
      failed(
        `127.0.0.1:${port} has a certificate of a CA that is not known here (UNABLE_TO_VERIFY_LEAF_SIGNATURE): if it is a private CA, name a file with that CA's own certificate by --server-ca FILE or JETON_CACERT`,
      ),
    )
    expect(api.requests).toEqual([])
  })

  test('a certificate for other names', async () => {
    const { port, url } = await startSecureServer(['jeton.example', '192.0.2.7'])
    expect(await run({ url, serverCa: caFile })).toEqual(
      failed(
        `127.0.0.1:${port} has a certificate for jeton.example, 192.0.2.7 (ERR_TLS_CERT_ALTNAME_INVALID): use a name that the certificate has, or have it issued for this one`,
      ),
    )
  })

  test('a certificate that has expired, or is not valid yet, or a clock that is wrong', async () => {
    const expired = await startSecureServer(['127.0.0.1'], { expiresAt: Date.now() - 1000 })
    expect(await run({ url: expired.url, serverCa: caFile })).toEqual(
      failed(
        `127.0.0.1:${expired.port} has a certificate that has expired (CERT_HAS_EXPIRED): it has to be renewed, unless the clock of this machine is wrong, which says 2026-11-23T10:00:00Z`,
      ),
    )
    const early = await startSecureServer(['127.0.0.1'], { startsAt: Date.now() + 3_600_000 })
    expect(await run({ url: early.url, serverCa: caFile })).toEqual(
      failed(
        `127.0.0.1:${early.port} has a certificate that is not valid yet (CERT_NOT_YET_VALID): is the clock of this machine right? It says 2026-11-23T10:00:00Z`,
      ),
    )
  })

  test('a name that DNS does not know', async () => {
    const { exitCode, stderr } = await run({ url: 'https://jeton.invalid' })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^jeton: jeton\.invalid cannot be reached \((ENOTFOUND|EAI_AGAIN)\): DNS does not /,
    )
  })

  test('a port on which nothing listens', async () => {
    const api = await startApiStub()
    await api.close()
    const { host } = new URL(api.url)
    expect(await run({ url: api.url })).toEqual(
      failed(
        `${host} cannot be reached (ECONNREFUSED): nothing listens there: does the server run, and is the port right?`,
      ),
    )
  })
})

describe('an error about a proxy says what to do, without its password:', () => {
  const url = 'https://jeton.example'
  const throughProxy = (at: string, env: Record<string, string> = {}) =>
    run({ url }, { HTTPS_PROXY: at, ...env }).then(ended => {
      expect(ended.stderr).not.toContain('s3cret')
      return ended
    })

  test.each([
    [407, 'the proxy asks for a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'],
    [
      403,
      'the proxy does not allow this host: have it allowed, or name jeton.example in NO_PROXY if it can be reached without the proxy',
    ],
    [502, 'the proxy cannot reach it'],
  ])('it answers %d', async (status, remedy) => {
    const proxy = during(await startEgressProxy({ routes: {} }))
    proxy.refusal = status
    expect(await throughProxy(`http://user:s3cret@127.0.0.1:${proxy.port}`)).toEqual(
      failed(
        `jeton.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_${status}): ${remedy}`,
      ),
    )
  })

  test('nothing listens there', async () => {
    const proxy = await startEgressProxy({ routes: {} })
    await proxy.close()
    expect(await throughProxy(`http://user:s3cret@127.0.0.1:${proxy.port}`)).toEqual(
      failed(
        `jeton.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (ECONNREFUSED): nothing listens there: is HTTPS_PROXY right?`,
      ),
    )
  })

  test('it takes the connection and says nothing, which may pass', () => {
    const cause = new NoTunnel('the proxy opened no tunnel', { cause: codedError('ETIMEDOUT') })
    expect(networkFailure(cause, { url: new URL(url), now: 0 })).toMatchObject({
      isTemporary: true,
      message:
        'jeton.example cannot be reached (ETIMEDOUT): the proxy does not answer: does it run, and is HTTPS_PROXY right?',
    })
  })

  test('it speaks no TLS, or no HTTP, or hangs up', async () => {
    const proxy = during(await startEgressProxy({ routes: {} }))
    expect((await throughProxy(`https://user:s3cret@127.0.0.1:${proxy.port}`)).stderr).toMatch(
      /\(\w+\): the proxy speaks no TLS: should HTTPS_PROXY begin with http:\/\/\?\n$/,
    )
    const other = during(await startSocketServer(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
    expect((await throughProxy(`http://user:s3cret@127.0.0.1:${other.port}`)).stderr).toMatch(
      /\(HPE_INVALID_CONSTANT\): it is not an HTTP proxy: is HTTPS_PROXY right\?\n$/,
    )
    const rude = during(await startSocketServer(socket => void socket.destroy()))
    expect((await throughProxy(`http://user:s3cret@127.0.0.1:${rude.port}`)).stderr).toMatch(
      /\(ECONNRESET\): it hung up\n$/,
    )
  })

  test('its certificate is of a private CA, or that of the host is', async () => {
    const { port } = await startSecureServer(['jeton.example'])
    const routes = { 'jeton.example:443': port }
    const secure = during(await startEgressProxy({ routes, tls: authority.issue(['127.0.0.1']) }))
    expect((await throughProxy(`https://127.0.0.1:${secure.port}`)).stderr).toContain(
      `jeton: the proxy 127.0.0.1:${secure.port} has a certificate of a CA that is not known here`,
    )
    const plain = during(await startEgressProxy({ routes }))
    expect((await throughProxy(`http://127.0.0.1:${plain.port}`)).stderr).toContain(
      `jeton: jeton.example, through the proxy 127.0.0.1:${plain.port}, has a certificate of a CA that is not known`,
    )
    for (const { port: proxyPort } of [secure, plain]) {
      const at = `${proxyPort === secure.port ? 'https' : 'http'}://127.0.0.1:${proxyPort}`
      expect(await throughProxy(at, { JETON_CACERT: caFile })).toMatchObject({ exitCode: 0, stderr: '' })
    }
  })

  test('its URL is none', async () => {
    expect(await throughProxy('socks5://user:s3cret@127.0.0.1:1')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^jeton: HTTPS_PROXY must be the URL of an HTTP proxy/),
    })
  })

  test('nothing is said of HTTP_PROXY, which no request goes through', async () => {
    const api = await startServer()
    expect(await run({ url: api.url }, { HTTP_PROXY: 'socks5://127.0.0.1:1' })).toMatchObject({ exitCode: 0 })
  })
})

describe('an answer that is not jeton’s is told apart:', () => {
  const page = (title: string) => ({
    headers: { 'content-type': 'text/html; charset=utf-8', server: 'nginx/1.27' },
    body: `<!doctype html><html><head><title>${title}</title></head><body>s3cret</body></html>`,
  })

  async function answered(answer: object) {
    const api = await startServer()
    api.answers = [answer]
    const { exitCode, stdout, stderr } = await run({ url: api.url })
    expect(stdout).toBe('')
    return [
      exitCode,
      stderr
        .replace(new URL(api.url).host, 'HOST')
        .replace(/^jeton: /, '')
        .trimEnd(),
    ]
  }

  test.each([
    [
      { ...page('Sign in\n to  \u001b[2JAcme &amp; Co') },
      1,
      'HOST answered 200 by nginx/1.27 with a web page ("Sign in to \\u001b[2JAcme &amp; Co"), which is not a token: a log-in page or a portal is in the way, or the URL is of another server',
    ],
    [
      { body: { hello: 1 } },
      1,
      'HOST answered 200, but the answer is not a token: is this the URL of a jeton server?',
    ],
    [
      { status: 502, ...page('502 Bad Gateway') },
      4,
      'HOST answered 502 (Bad Gateway) by nginx/1.27 with a web page ("502 Bad Gateway"), which is not how jeton does: what is in front of it cannot reach it at the moment (try again later)',
    ],
    [
      { status: 504, body: 'upstream request timeout' },
      4,
      'HOST answered 504 (Gateway Timeout), which is not how jeton does: what is in front of it cannot reach it at the moment (try again later)',
    ],
    [
      { status: 403, body: { message: 'Forbidden' } },
      3,
      'HOST answered 403 (Forbidden), which is not how jeton refuses: something in front of it did, or the URL is of another server; the credential is the JWT in JETON_JWT',
    ],
    [
      { status: 404, body: 'no' },
      3,
      'HOST answered 404 (Not Found): there is no jeton server at this URL, or not under /v1/tokens',
    ],
    [
      { status: 400, ...page('400 The plain HTTP request was sent to HTTPS port') },
      3,
      'HOST answered 400 (Bad Request) by nginx/1.27 with a web page ("400 The plain HTTP request was sent to HTTPS port"): it speaks TLS there, so write https://HOST',
    ],
    [
      { status: 302, headers: { location: 'https://login.example/authorize?state=s3cret' } },
      1,
      'HOST answered with a redirect to https://login.example, which is not followed: a log-in page or a portal is in the way, or the server has moved there',
    ],
    [
      { status: 308, headers: { location: '/v1/tokens/' } },
      1,
      'HOST answered with a redirect, which is not followed: use the URL that it redirects to',
    ],
    [
      { status: 301, headers: { location: 'https://127.0.0.1/v1/tokens' } },
      1,
      'HOST answered with a redirect to https://127.0.0.1, which is not followed: use that URL',
    ],
    [
      { status: 500, ...page(`for ${jwt}`) },
      1,
      'HOST answered 500 (Internal Server Error) by nginx/1.27 with a web page ("for [credential]"): is this the URL of a jeton server?',
    ],
  ])('%#', async (answer, exitCode, message) => {
    const [code, text = ''] = await answered(answer)
    expect([code, String(text).replace(/127\.0\.0\.1:\d+/g, 'HOST')]).toEqual([exitCode, message])
  })
})

describe('--server-ca and JETON_CACERT', () => {
  test.each(['--server-ca', 'JETON_CACERT'])('%s trusts a private CA', async name => {
    const { url } = await startSecureServer(['127.0.0.1'])
    const bundle = await file('bundle.pem', `# ours\r\n${createAuthority().caPem}\n${authority.caPem}`)
    const ended = await (name === 'JETON_CACERT'
      ? run({ url }, { JETON_CACERT: bundle })
      : run({ url, serverCa: bundle }, { JETON_CACERT: join(folder, 'none') }))
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('trusts what Node trusts as well, NODE_EXTRA_CA_CERTS too', async () => {
    const { readTrustedCas } = await import('../../src/client/server-ca.ts')
    const { rootCertificates } = await import('node:tls')
    const extra = await file('extra.pem', createAuthority().caPem)
    const trusted = await readTrustedCas(
      { path: caFile, name: '--server-ca' },
      { NODE_EXTRA_CA_CERTS: extra },
    )
    expect(trusted).toEqual(expect.arrayContaining([...rootCertificates, authority.caPem.trim()]))
  })

  test.each([
    ['is not there', undefined, /cannot be read \(ENOENT\)$/],
    ['is empty', ' \n', /is empty$/],
    [
      'is not PEM',
      Buffer.from([0x30, 0x82, 1, 2]),
      /has no certificate in PEM in it \(-----BEGIN CERTIFICATE-----\); of DER, openssl x509 -inform der -in FILE makes PEM$/,
    ],
    [
      'is a key',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      /has no certificate in PEM in it/,
    ],
    [
      'has a broken certificate in it',
      `${createAuthority().caPem}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
      /certificate 2 in .* is broken$/,
    ],
    ['never ends', Buffer.alloc(4 * 1024 * 1024 + 1, 'x'), /is longer than any CA bundle \(4194304 bytes\)$/],
  ])('a file that %s is a usage error, before any request', async (_what, content, message) => {
    const api = await startServer()
    const path = content === undefined ? join(folder, 'none') : await file('bad.pem', content)
    for (const ended of [
      await run({ url: api.url, serverCa: path }),
      await run({ url: api.url }, { JETON_CACERT: path }),
    ]) {
      expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
      expect(ended.stderr.trimEnd()).toMatch(message)
    }
    expect(api.requests).toEqual([])
  })

  test('a folder is a usage error, and an empty variable is none', async () => {
    const api = await startServer()
    expect(await run({ url: api.url, serverCa: folder })).toMatchObject({
      exitCode: 2,
      stderr: `jeton: --server-ca: ${folder} cannot be read (EISDIR)\n`,
    })
    expect((await run({ url: api.url }, { JETON_CACERT: '' })).exitCode).toBe(0)
  })
})

describe('in a pod whose metadata server answers only after a while', () => {
  /** Answers as Google's, if at all. */
  const googleFrom =
    (attempt: number): Send =>
    async ({ url }) => {
      if (url.pathname === '/') attempt--
      if (attempt > 0 || url.pathname.startsWith('/latest/') || url.pathname.startsWith('/metadata/'))
        throw codedError('ECONNREFUSED')
      return { status: 200, headers: { 'metadata-flavor': 'Google' }, body: Buffer.from(someJwt()) }
    }
  /** A clock on which waits take no time, and nothing times out. */
  function countWaits() {
    const waits = {
      totalMs: 0,
      now: () => waits.totalMs,
      async sleep(ms: number, signal?: AbortSignal) {
        if (signal) await once(signal, 'abort')
        else waits.totalMs += ms
      },
    }
    return waits
  }
  const pod = { JETON_JWT: '', KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  const machine = (attempt: number) => ({ sendDirectly: googleFrom(attempt), root: folder })

  test('--wait covers it, and counts all waits together', async () => {
    const { url, requests } = await startServer()
    const { exitCode, stderr } = await run({ url, wait: '60' }, pod, { ...machine(3), waits: countWaits() })
    expect([exitCode, requests.length]).toEqual([0, 1])
    expect(stderr).toMatch(/^jeton: next try in 1 s, trying until \S+: no credential: .*\n$/)
    const waits = countWaits()
    const late = await run({ url: 'http://127.0.0.1:1', wait: '5' }, pod, { ...machine(3), waits })
    expect(late).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ECONNREFUSED') })
    expect(waits.totalMs).toBe(5000)
  })

  test('without --wait it is a usage error at once', async () => {
    const { url, requests } = await startServer()
    const waits = countWaits()
    const ended = await run({ url }, pod, { ...machine(2), waits })
    expect(ended).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^jeton: no credential: mount /),
    })
    expect([waits.totalMs, requests]).toEqual([0, []])
  })
})
