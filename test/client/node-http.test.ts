import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpRequest, Send } from '../../src/client/http.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { openSend } from '../../src/client/open-send.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { systemCode } from '../../src/lib/system-error.ts'
import { startEgressProxy } from '../support/egress/egress-proxy.ts'
import { startSocketServer } from '../support/egress/socket-server.ts'
import { startTlsFront } from '../support/egress/tls-front.ts'
import { startApiStub } from '../support/service/api-stub.ts'

const authority = createAuthority()
const closables: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closables.splice(0).map(close => close()))
})

/** Ends it after the test. */
function during<T extends { close(): Promise<unknown> }>(closable: T): T {
  closables.push(() => closable.close())
  return closable
}

const signal = () => new AbortController().signal
const sent = async (send: Send, request: Omit<HttpRequest, 'url'> & { url: string }) => {
  const { status, body } = await send(
    { ...request, url: new URL(request.url) },
    { signal: signal(), maxBytes: 1000 },
  )
  return { status, text: Buffer.from(body).toString() }
}
const codeOf = (send: Send, url: string) =>
  sent(send, { url }).then(
    () => expect.unreachable('it was answered'),
    cause => systemCode(cause) ?? cause.message,
  )

async function startStub() {
  const stub = during(await startApiStub())
  stub.answers = [{ body: { a: 1 } }]
  return stub
}

async function startSecureStub(names: readonly string[]) {
  const stub = await startStub()
  return { stub, port: during(await startTlsFront(stub.url, authority.issue(names))).port }
}

describe('createNodeSend', () => {
  test('sends method, headers and body, and returns any status', async () => {
    const stub = await startStub()
    stub.answers = [{ status: 418, body: 'no' }]
    const request = {
      url: `${stub.url}/x?y=1`,
      method: 'POST',
      headers: { authorization: 'A b' },
      body: 'hé',
    }
    expect(await sent(createNodeSend(), request)).toEqual({ status: 418, text: 'no' })
    expect(stub.requests).toEqual([{ method: 'POST', path: '/x?y=1', authorization: 'A b', body: 'hé' }])
  })

  test('asks for an answer that is not compressed, since nothing here unpacks one', async () => {
    let accepted: string | string[] | undefined
    const listener: RequestListener = ({ headers }, response) => {
      accepted = headers['accept-encoding']
      response.end()
    }
    const server = createServer(listener)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closables.push(async () => server.close())
    const address = server.address()
    await sent(createNodeSend(), { url: `http://127.0.0.1:${typeof address === 'object' && address?.port}` })
    expect(accepted).toBe('identity')
  })

  test('speaks to a Unix socket, whatever proxy there is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'socket-'))
    closables.push(() => rm(folder, { recursive: true }))
    const socketPath = join(folder, 'api')
    const server = createServer((_request, response) => response.end('by socket'))
    await new Promise<void>(resolve => server.listen(socketPath, resolve))
    closables.push(async () => server.close())
    const send = await openSend({ env: { HTTPS_PROXY: 'http://127.0.0.1:1' } })
    expect(await sent(send, { url: 'http://localhost/v1', socketPath })).toEqual({
      status: 200,
      text: 'by socket',
    })
    expect(
      await sent(send, { url: 'http://localhost/', socketPath: join(folder, 'none') }).catch(systemCode),
    ).toBe('ENOENT')
  })

  test('gives up on a connection that is not made, and on TLS that does not begin', async () => {
    const silent = during(await startSocketServer(socket => socket.resume()))
    const send = createNodeSend({ connectTimeoutMs: 50 })
    expect(await codeOf(send, `https://127.0.0.1:${silent.port}`)).toBe('ETIMEDOUT')
  })

  test('tells DNS that does not answer from a host that does not', async () => {
    const silent = during(await startSocketServer(socket => socket.resume()))
    const url = `https://localhost:${silent.port}`
    expect(await codeOf(createNodeSend({ connectTimeoutMs: 50, lookup: () => {} }), url)).toBe('EAI_AGAIN')
    expect(await codeOf(createNodeSend({ connectTimeoutMs: 200 }), url)).toBe('ETIMEDOUT')
  })

  test('waits longer for an answer than for a connection', async () => {
    const slow = during(
      await startSocketServer(socket =>
        socket.once('data', () => setTimeout(() => socket.end('HTTP/1.1 204 Fine\r\n\r\n'), 120)),
      ),
    )
    const send = createNodeSend({ connectTimeoutMs: 50 })
    expect(await sent(send, { url: `http://127.0.0.1:${slow.port}` })).toEqual({ status: 204, text: '' })
  })

  test('ends with its signal', async () => {
    const silent = during(await startSocketServer(socket => socket.resume()))
    const caller = new AbortController()
    const url = new URL(`http://127.0.0.1:${silent.port}`)
    const ended = createNodeSend()({ url }, { signal: caller.signal, maxBytes: 1 })
    caller.abort()
    await expect(ended).rejects.toMatchObject({ code: 'ABORT_ERR' })
  })

  test.each([
    ['breaks off', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'broke off its answer', true],
    ['never ends', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2000)}`, 'answered with more than 1000 bytes', false],
  ])('refuses an answer that %s', async (_what, answer, message, isTemporary) => {
    const server = during(
      await startSocketServer(socket => {
        socket.once('data', () => {
          socket.write(answer)
          if (isTemporary) socket.end()
        })
      }),
    )
    await expect(sent(createNodeSend(), { url: `http://127.0.0.1:${server.port}` })).rejects.toMatchObject({
      name: 'UnreadableReply',
      message,
      isTemporary,
    })
  })

  test('tells a server of TLS that is spoken to without it from one that hangs up', async () => {
    const { port } = await startSecureStub(['127.0.0.1'])
    expect(await codeOf(createNodeSend(), `http://127.0.0.1:${port}`)).toBe('TLS_EXPECTED')
    const rude = during(await startSocketServer(socket => void socket.once('data', () => socket.destroy())))
    expect(await codeOf(createNodeSend(), `http://127.0.0.1:${rude.port}`)).toBe('ECONNRESET')
  })

  test('checks the certificate, and for which name it is', async () => {
    const { stub, port } = await startSecureStub(['127.0.0.1'])
    const other = await startSecureStub(['other.example'])
    const trusting = createNodeSend({ ca: [authority.caPem] })
    expect(await sent(trusting, { url: `https://127.0.0.1:${port}` })).toMatchObject({ status: 200 })
    expect(await codeOf(createNodeSend(), `https://127.0.0.1:${port}`)).toBe(
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    )
    expect(await codeOf(trusting, `https://127.0.0.1:${other.port}`)).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect([stub.requests.length, other.stub.requests.length]).toEqual([1, 0])
  })
})

describe('createNodeSend through a proxy', () => {
  const credentials = 'user:s3cret'

  async function startBehindProxy({ names = ['jeton.example'], isSecure = false } = {}) {
    const { stub, port } = await startSecureStub(names)
    const proxy = during(
      await startEgressProxy({
        routes: { 'jeton.example:443': port, '192.0.2.7:8443': port, '[2001:db8::7]:443': port },
        credentials,
        ...(isSecure && { tls: authority.issue(['127.0.0.1']) }),
      }),
    )
    const at = `${isSecure ? 'https' : 'http'}://${credentials}@127.0.0.1:${proxy.port}`
    const { readEgressProxies } = await import('../../src/lib/egress-proxies.ts')
    const open = (env: Record<string, string> = { HTTPS_PROXY: at }, connectTimeoutMs = 10_000) =>
      createNodeSend({ findProxy: readEgressProxies(env).findProxy, ca: [authority.caPem], connectTimeoutMs })
    return { stub, proxy, at, open }
  }

  test.each([false, true])('opens a tunnel; TLS with the proxy itself: %s', async isSecure => {
    const { stub, proxy, open } = await startBehindProxy({ isSecure })
    const request = {
      url: 'https://jeton.example/v1',
      method: 'POST',
      body: 'x',
      headers: { authorization: 'A b' },
    }
    expect(await sent(open(), request)).toEqual({ status: 200, text: '{"a":1}' })
    // of the request, the proxy sees where it goes
    expect(proxy.requests).toEqual(['CONNECT jeton.example:443'])
    expect(stub.requests).toEqual([{ method: 'POST', path: '/v1', authorization: 'A b', body: 'x' }])
  })

  test('checks that the certificate at the end of the tunnel is for the host, an address too', async () => {
    const { proxy, stub, open } = await startBehindProxy({ names: ['192.0.2.7'] })
    expect(await sent(open(), { url: 'https://192.0.2.7:8443/' })).toMatchObject({ status: 200 })
    expect(await codeOf(open(), 'https://jeton.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await codeOf(open(), 'https://[2001:db8::7]/')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(proxy.requests).toContain('CONNECT [2001:db8::7]:443')
    expect(stub.requests).toHaveLength(1)
  })

  test('never takes the answer of a proxy for one of the host', async () => {
    const { proxy, stub, open } = await startBehindProxy()
    for (const status of [200 + 201, 403, 407, 502]) {
      proxy.refusal = status
      await expect(sent(open(), { url: 'https://jeton.example' })).rejects.toMatchObject({ name: 'NoTunnel' })
      expect(await codeOf(open(), 'https://jeton.example')).toBe(`PROXY_ANSWERED_${status}`)
    }
    expect(stub.requests).toEqual([])
  })

  test('gives up on a proxy that says nothing, and on a tunnel in which nobody speaks', async () => {
    const { proxy, at, open } = await startBehindProxy()
    proxy.isSilent = true
    const url = new URL('https://jeton.example')
    const ended = open({ HTTPS_PROXY: at }, 50)({ url }, { signal: signal(), maxBytes: 1 })
    await expect(ended).rejects.toMatchObject({ name: 'NoTunnel', cause: { code: 'ETIMEDOUT' } })
    await expect.poll(() => proxy.connections()).toBe(0)

    const silent = during(await startSocketServer(socket => socket.resume()))
    const opening = during(await startEgressProxy({ routes: { 'jeton.example:443': silent.port } }))
    const send = open({ HTTPS_PROXY: `http://127.0.0.1:${opening.port}` }, 100)
    expect(await codeOf(send, 'https://jeton.example')).toBe('ETIMEDOUT')
    await expect.poll(() => opening.connections()).toBe(0)
  })

  test('goes directly to what NO_PROXY names, to this machine and to link-local addresses', async () => {
    const { proxy, at, open } = await startBehindProxy()
    const { port } = await startSecureStub(['127.0.0.1', 'localhost'])
    const env = { HTTPS_PROXY: at, HTTP_PROXY: at, NO_PROXY: 'excepted.invalid' }
    const plain = await startStub()
    for (const url of [`https://127.0.0.1:${port}`, `https://localhost:${port}`, plain.url])
      expect(await sent(open(env), { url })).toMatchObject({ status: 200 })
    // what answers there gives credentials to whoever asks: a proxy would get its own, or see ours
    for (const url of ['https://excepted.invalid', 'https://169.254.0.7:1', 'http://metadata.invalid:1'])
      await sent(open(env, 100), { url }).catch(() => 'whatever is there')
    expect(proxy.requests).toEqual([])
  })
})
