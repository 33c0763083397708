import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Clock } from '../../src/lib/clock.ts'
import { type Fetch, fetchJson } from '../../src/lib/fetch-json.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const clock = virtualClock()

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

const ask = (url: string, fetch: Fetch = globalThis.fetch) => fetchJson(url, { fetch, clock })

/** A fetch that says what it was asked for, and would answer. */
function reachable() {
  const asked: string[] = []
  const fetch: Fetch = async url => {
    asked.push(String(url))
    return Response.json({ ok: true })
  }
  return { asked, fetch }
}

describe('where it goes', () => {
  test.each([
    'https://issuer.example/a',
    'http://127.0.0.1:1/a',
    'http://127.8.9.1/a',
    'http://[::1]:1/a',
    'http://localhost/a',
  ])('%s is asked', async url => {
    const { asked, fetch } = reachable()
    expect(await ask(url, fetch)).toEqual({ ok: true })
    expect(asked).toEqual([url])
  })

  test.each([
    'http://issuer.example/a',
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1.evil.example/a',
    'http://localhost.evil.example/a',
    'http://10.0.0.1/a',
    'http://0.0.0.0/a',
    'http://[::ffff:10.0.0.1]/a',
    'https://user:hunter2@issuer.example/a',
    'file:///etc/passwd',
    'data:application/json,{}',
    'ftp://127.0.0.1/a',
    '/relative',
    '',
  ])('%s is not asked', async url => {
    const { asked, fetch } = reachable()
    const error = await ask(url, fetch).catch(cause => cause)
    expect(error).toBeInstanceOf(Error)
    expect(error.message).not.toContain('hunter2')
    expect(asked).toEqual([])
  })
})

describe('what it takes', () => {
  test('a redirect is not followed', async () => {
    const seen: string[] = []
    const url = await serve((request, response) => {
      seen.push(request.url ?? '')
      if (request.url === '/') response.writeHead(302, { location: '/secret' }).end()
      else response.end('{"secret":true}')
    })
    await expect(ask(`${url}/`)).rejects.toThrow('redirect')
    expect(seen).toEqual(['/'])
  })

  test('a fetch that follows redirects in spite of being told not to is not believed', async () => {
    const follows: Fetch = async () =>
      Object.defineProperty(Response.json({ ok: true }), 'redirected', { value: true })
    await expect(ask('https://issuer.example', follows)).rejects.toThrow('redirect')
  })

  test.each([204, 400, 404, 500])('status %i is refused', async status => {
    const url = await serve((_request, response) => void response.writeHead(status).end('{}'))
    await expect(ask(url)).rejects.toThrow(`answered ${status}`)
  })

  test.each(['[1]', '"text"', 'null', '', '<p>my secret</p>', '\xff'])(
    'the body %j is refused',
    async body => {
      const url = await serve((_request, response) => void response.end(Buffer.from(body, 'latin1')))
      const error = await ask(url).catch(cause => cause)
      expect(error.message).toMatch(/^127\.0\.0\.1:\d+ answered with something that is no JSON object$/)
    },
  )

  test('an endless body is cut off at the limit, whatever Content-Length says', async () => {
    let sent = 0
    const endless: Fetch = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 64 * 1024
            controller.enqueue(new Uint8Array(64 * 1024).fill(32))
          },
        }),
        { headers: { 'content-length': '2' } },
      )
    await expect(ask('https://issuer.example', endless)).rejects.toThrow('more than 262144 bytes')
    expect(sent).toBeLessThanOrEqual(7 * 64 * 1024)
  })

  test('exactly the limit is taken, a byte more is not', async () => {
    const fetchOf =
      (bytes: number): Fetch =>
      async () =>
        new Response('{}'.padEnd(bytes))
    const limitBytes = 100
    await expect(fetchJson('https://a.example', { fetch: fetchOf(100), clock, limitBytes })).resolves.toEqual(
      {},
    )
    await expect(fetchJson('https://a.example', { fetch: fetchOf(101), clock, limitBytes })).rejects.toThrow(
      '100',
    )
  })

  test('a small body that unpacks to a huge one is refused', async () => {
    const bomb = gzipSync(JSON.stringify({ a: 'x'.repeat(1024 * 1024) }))
    expect(bomb.byteLength).toBeLessThan(10_000)
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    await expect(ask(url)).rejects.toThrow('more than 262144 bytes')
  })

  test('an answer that does not come, or does not end, is given up after 5 s', async () => {
    for (const beginning of ['', '{"a":']) {
      const time = virtualClock()
      const { promise: arrived, resolve: arrive } = deferred()
      const url = await serve((_request, response) => {
        if (beginning) response.write(beginning)
        arrive()
      })
      const outcome = fetchJson(url, { fetch: globalThis.fetch, clock: time }).catch(cause => cause.message)
      await arrived
      await time.advance(4999)
      expect(await Promise.race([outcome, 'waiting'])).toBe('waiting')
      await time.advance(1)
      expect(await outcome).toContain('within 5000 ms')
    }
  })

  test('nothing is left behind: neither the request nor the wait', async () => {
    for (const status of [200, 404]) {
      const signals: (AbortSignal | null | undefined)[] = []
      const time: Clock = {
        ...clock,
        sleepUntil: (ms, signal) => {
          signals.push(signal)
          return clock.sleepUntil(ms, signal)
        },
      }
      const fetch: Fetch = async (_url, init) => {
        signals.push(init?.signal)
        return new Response('{}', { status })
      }
      await fetchJson('https://a.example', { fetch, clock: time }).catch(() => {})
      expect(signals.map(signal => signal?.aborted)).toEqual([true, true])
    }
  })

  test('an unreachable host is named, with the system’s code and without the path', async () => {
    const url = await serve((request, _response) => void request.socket.destroy())
    const error = await ask(`${url}/path?key=secret`).catch(cause => cause)
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached \(UND_ERR_SOCKET\)$/)
  })
})
