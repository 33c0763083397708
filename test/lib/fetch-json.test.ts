import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listenOnLoopback } from '../../src/dev/loopback-server.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { type Fetch, fetchJson } from '../../src/lib/fetch-json.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const clock = virtualClock()

async function serve(listener: RequestListener): Promise<string> {
  const { url, close } = await listenOnLoopback(createServer(listener))
  onTestFinished(close)
  return url
}

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

const fetchFrom = (url: string, fetch: Fetch = globalThis.fetch) => fetchJson(url, { fetch, clock })

/** A fetch that answers every request and keeps its URL. */
function recordingFetch() {
  const requested: string[] = []
  const fetch: Fetch = async url => {
    requested.push(String(url))
    return Response.json({ ok: true })
  }
  return { requested, fetch }
}

describe('fetchJson requests', () => {
  test.each([
    'https://issuer.example/a',
    'http://127.0.0.1:1/a',
    'http://127.8.9.1/a',
    'http://[::1]:1/a',
    'http://localhost/a',
  ])('%s', async url => {
    const { requested, fetch } = recordingFetch()
    expect(await fetchFrom(url, fetch)).toEqual({ ok: true })
    expect(requested).toEqual([url])
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
  ])('not %j', async url => {
    const { requested, fetch } = recordingFetch()
    const error = await fetchFrom(url, fetch).catch(cause => cause)
    expect(error).toBeInstanceOf(Error)
    expect(error.message).not.toContain('hunter2')
    expect(requested).toEqual([])
  })
})

describe('fetchJson', () => {
  test('does not follow a redirect', async () => {
    const paths: string[] = []
    const url = await serve((request, response) => {
      paths.push(request.url ?? '')
      if (request.url === '/') response.writeHead(302, { location: '/secret' }).end()
      else response.end('{"secret":true}')
    })
    await expect(fetchFrom(`${url}/`)).rejects.toThrow('redirect')
    expect(paths).toEqual(['/'])
  })

  test('refuses the answer of a fetch that followed a redirect all the same', async () => {
    const follows: Fetch = async () =>
      Object.defineProperty(Response.json({ ok: true }), 'redirected', { value: true })
    await expect(fetchFrom('https://issuer.example', follows)).rejects.toThrow('redirect')
  })

  test.each([204, 400, 404, 500])('refuses status %i', async status => {
    const url = await serve((_request, response) => void response.writeHead(status).end('{}'))
    await expect(fetchFrom(url)).rejects.toThrow(`answered ${status}`)
  })

  test.each(['[1]', '"text"', 'null', '', '<p>my secret</p>', '\xff'])('refuses the body %j', async body => {
    const url = await serve((_request, response) => void response.end(Buffer.from(body, 'latin1')))
    const error = await fetchFrom(url).catch(cause => cause)
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ answered with something that is not a JSON object$/)
  })

  test('stops reading an endless body at the limit, whatever Content-Length says', async () => {
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
    await expect(fetchFrom('https://issuer.example', endless)).rejects.toThrow('more than 262144 bytes')
    expect(sent).toBeLessThanOrEqual(7 * 64 * 1024)
  })

  test('accepts a body of exactly the limit, and not of a byte more', async () => {
    const fetchOf =
      (bytes: number): Fetch =>
      async () =>
        new Response('{}'.padEnd(bytes))
    const maxBytes = 100
    await expect(fetchJson('https://a.example', { fetch: fetchOf(100), clock, maxBytes })).resolves.toEqual(
      {},
    )
    await expect(fetchJson('https://a.example', { fetch: fetchOf(101), clock, maxBytes })).rejects.toThrow(
      '100',
    )
  })

  test('refuses a small body that unpacks to a huge one', async () => {
    const bomb = gzipSync(JSON.stringify({ a: 'x'.repeat(1024 * 1024) }))
    expect(bomb.byteLength).toBeLessThan(10_000)
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    await expect(fetchFrom(url)).rejects.toThrow('more than 262144 bytes')
  })

  test('rejects after 5 s if the answer does not begin, or does not end', async () => {
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

  test('leaves nothing behind: neither the request nor the timeout', async () => {
    for (const status of [200, 404]) {
      const signals: (AbortSignal | null | undefined)[] = []
      const time: Clock = {
        ...clock,
        sleep: (ms, signal) => {
          signals.push(signal)
          return clock.sleep(ms, signal)
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

  test('names an unreachable host, with the system’s code and without the path', async () => {
    const url = await serve((request, _response) => void request.socket.destroy())
    const error = await fetchFrom(`${url}/path?key=secret`).catch(cause => cause)
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached \(UND_ERR_SOCKET\)$/)
  })
})
