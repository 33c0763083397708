import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { refuseForeignHost, refuseForeignSite } from '../../src/console/own-requests.ts'
import { startConsole } from '../support/console/console.ts'
import { eventsOf } from '../support/service/log-recorder.ts'

const currentConfig = () => ({ store: { type: 'memory' } }) as Config
const hostRefusal = (headers: IncomingHttpHeaders, url = '/console') => refuseForeignHost({ url, headers })
const VISIT = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

describe('a console on loopback', () => {
  test.each(['localhost', 'LOCALHOST:9464', '127.0.0.1:1', '127.1.2.3', '[::1]:9464'])('serves %s', host => {
    expect(hostRefusal({ host })).toBeUndefined()
  })

  test.each([
    'rebound.example.com:9464',
    'localhost.example.com',
    '127.0.0.1.nip.io',
    'localhost.',
    '0.0.0.0:9464',
    '0x7f.1',
    '192.168.0.2',
    'localhost:80:80',
    '[::]',
    '',
    undefined,
  ])('refuses a site that leads here by the name %s', host => {
    expect(hostRefusal({ host })).toMatchObject({ code: 'invalid_request' })
  })

  test.each(['http://rebound.example.com/console', 'HTTPS://localhost@evil.example/console', '*', ''])(
    'refuses the target %s, which names a host of its own or none',
    url => {
      expect(hostRefusal({ host: 'localhost' }, url)).toMatchObject({ code: 'invalid_request' })
    },
  )

  test.each(['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip'])(
    'refuses what came through a proxy that adds %s, which would show it to others',
    name => {
      const refusal = hostRefusal({ host: 'localhost', [name]: 'x' })
      expect(refusal).toMatchObject({ publicMessage: expect.stringContaining('server.admin.tls') })
    },
  )

  test('answers such requests with a page, before anything of it is looked at', async () => {
    const { app, url } = await startConsole({ currentConfig })
    for (const path of ['/', '/console', '/console/databases', '/console/assets/console.js']) {
      const { statusCode, headers, body } = await app.inject({ url: path, headers: { host: 'evil.example' } })
      expect({ path, statusCode, type: headers['content-type'] }).toEqual({
        path,
        statusCode: 400,
        type: 'text/html; charset=utf-8',
      })
      expect(body).toContain('invalid_request')
    }
    expect((await fetch(`${url}/databases`)).status).toBe(200)
  })
})

describe('another site', () => {
  test.each([
    ['a visit from a bookmark', 'GET', { 'sec-fetch-site': 'none', ...VISIT }],
    ['a link on another site', 'GET', { 'sec-fetch-site': 'cross-site', ...VISIT }],
    ['the console’s own script', 'GET', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    ['the console’s own form', 'POST', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['its form in an old browser', 'POST', { origin: 'http://localhost:9464', host: 'localhost:9464' }],
    ['a program', 'GET', {}],
  ])('cannot be taken for %s', (_what, method, headers) => {
    expect(refuseForeignSite(method, headers)).toBeUndefined()
  })

  test.each([
    [
      'a script of it',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    ],
    [
      'its fetch',
      'GET',
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ],
    [
      'a frame in it',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ],
    ['its form', 'POST', { 'sec-fetch-site': 'cross-site', ...VISIT }],
    ['its form from a neighbouring port', 'POST', { 'sec-fetch-site': 'same-site', ...VISIT }],
    ['a form without an origin', 'POST', { host: 'localhost:9464' }],
    ['a form of an opaque origin', 'POST', { origin: 'null', host: 'localhost:9464' }],
    ['a form of another origin', 'POST', { origin: 'http://localhost:8080', host: 'localhost:9464' }],
  ])('gets nothing by %s', (_what, method, headers) => {
    expect(refuseForeignSite(method, headers)).toMatchObject({ code: 'invalid_request' })
  })
})

test('every reply keeps browsers from framing, sniffing, storing and sending on what it says', async () => {
  const { app } = await startConsole({ currentConfig })
  const replies = await Promise.all(
    ['/console/databases', '/console/assets/console.css', '/console/nothing', '/console'].map(url =>
      app.inject({ url, headers: { host: 'localhost', origin: 'https://evil.example' } }),
    ),
  )
  expect(replies.map(({ statusCode }) => statusCode)).toEqual([200, 200, 404, 302])
  for (const { headers } of replies) {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(
        /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'; require-trusted-types-for 'script'/,
      ),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([])
  }
})

test('a page answers HEAD without a body, and no form unless it has one', async () => {
  const { app } = await startConsole({ currentConfig })
  const headers = { host: 'localhost', 'sec-fetch-site': 'same-origin' }
  const head = await app.inject({ method: 'HEAD', url: '/console/databases', headers })
  expect([head.statusCode, head.body]).toEqual([200, ''])
  const post = await app.inject({ method: 'POST', url: '/console/databases', headers })
  expect([post.statusCode, post.body.includes('not_found')]).toEqual([404, true])
})

test('a page that fails says nothing of why, and the log has the line of a bug', async () => {
  const readings = {
    rates() {
      throw new Error('s3cret')
    },
  }
  const { app, log } = await startConsole({ currentConfig, readings: readings as never })
  const { statusCode, body } = await app.inject({ url: '/console/databases', headers: { host: 'localhost' } })
  expect([statusCode, body.includes('internal_error'), body.includes('s3cret')]).toEqual([500, true, false])
  expect(eventsOf(log)).toEqual(['request_failed'])
})
