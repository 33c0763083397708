import { describe, expect, test } from 'vitest'
import { readEgressProxies } from '../../src/lib/egress-proxies.ts'

const HTTPS = 'https://sts.us-east-1.amazonaws.com/'
const HTTP = 'http://dynamodb.example:8000/'

function proxyFor(url: string, env: Record<string, string>): string | undefined {
  const { findProxy, problems } = readEgressProxies(env)
  expect(problems).toEqual([])
  return findProxy(new URL(url))?.name
}

describe('the proxy of a URL', () => {
  test.each([
    [HTTPS, { HTTPS_PROXY: 'http://a:3128' }, 'a:3128'],
    [HTTPS, { https_proxy: 'http://a:3128', HTTPS_PROXY: 'http://b:3128' }, 'a:3128'],
    [HTTPS, { https_proxy: '', HTTPS_PROXY: 'http://b:3128' }, 'b:3128'],
    [HTTPS, { https_proxy: ' ', HTTPS_PROXY: ' http://b:3128 ' }, 'b:3128'],
    [HTTP, { HTTPS_PROXY: 'http://a:3128', HTTP_PROXY: 'http://b:3128' }, 'b:3128'],
    [HTTP, { http_proxy: 'http://a:3128', HTTP_PROXY: 'http://b:3128' }, 'a:3128'],
    [HTTPS, { HTTPS_PROXY: 'a:3128' }, 'a:3128'],
    [HTTPS, { HTTPS_PROXY: 'a' }, 'a:80'],
    [HTTPS, { HTTPS_PROXY: 'https://a/' }, 'a:443'],
    [HTTPS, { HTTPS_PROXY: 'HTTP://A.example:8080' }, 'a.example:8080'],
    [HTTPS, { HTTPS_PROXY: 'http://[2001:db8::1]:3128' }, '[2001:db8::1]:3128'],
    [HTTPS, { HTTPS_PROXY: 'user:pass@a:3128' }, 'a:3128'],
    // a request to https is not for the proxy of http, nor the other way round
    [HTTPS, { HTTP_PROXY: 'http://b:3128' }, undefined],
    [HTTP, { HTTPS_PROXY: 'http://b:3128' }, undefined],
    [HTTPS, { HTTPS_PROXY: '' }, undefined],
    [HTTPS, { ALL_PROXY: 'http://a:3128' }, undefined],
    [HTTPS, {}, undefined],
    // exceptions, and what is always one
    [HTTPS, { HTTPS_PROXY: 'http://a:3128', NO_PROXY: '.amazonaws.com' }, undefined],
    [HTTPS, { HTTPS_PROXY: 'http://a:3128', no_proxy: '.amazonaws.com', NO_PROXY: 'x' }, undefined],
    [HTTPS, { HTTPS_PROXY: 'http://a:3128', no_proxy: 'x', NO_PROXY: '.amazonaws.com' }, 'a:3128'],
    ['http://127.0.0.1:9000/', { HTTP_PROXY: 'http://a:3128' }, undefined],
    ['http://169.254.169.254/', { HTTP_PROXY: 'http://a:3128' }, undefined],
    ['ftp://example.com/', { HTTP_PROXY: 'http://a:3128' }, undefined],
  ] as const)('%s with %j is %s', (url, env, expected) => {
    expect(proxyFor(url, env as Record<string, string>)).toBe(expected)
  })
})

test.each([
  ['http://user:pass@a:3128', 'user:pass'],
  ['http://user@a:3128', 'user:'],
  ['http://:pass@a:3128', ':pass'],
  ['http://us%40er:p%25ss%2F@a:3128', 'us@er:p%ss/'],
  ['http://user:p@ss@a:3128', 'user:p@ss'],
  ['http://a:3128', undefined],
])('credentials of %s are not in its URL, but in the header', (value, credentials) => {
  const proxy = readEgressProxies({ HTTPS_PROXY: value }).findProxy(new URL(HTTPS))
  expect(proxy?.url.href).toBe('http://a:3128/')
  const header = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
  expect(proxy?.authorization).toBe(header)
})

test.each([
  ['http://', 'is not the URL of a proxy'],
  ['http://proxy.example.com:99999', 'is not the URL of a proxy'],
  ['http://user:s3cret@:3128', 'is not the URL of a proxy'],
  ['http://user:s3/cret@proxy.example.com:3128', 'is not the URL of a proxy'],
  ['"http://user:s3cret@proxy.example.com:3128"', 'quotation marks around it'],
  ['http://user:12/s3cret@proxy.example.com:3128', 'has something behind the host'],
  ['http://s3#cret:x@proxy.example.com:3128', 'has something behind the host'],
  ['http://proxy.example.com:3128/s3cret', 'has something behind the host'],
  ['http://proxy.example.com:3128?s3cret', 'has something behind the host'],
  ['socks5://user:s3cret@proxy.example.com:1080', 'must be the URL of an HTTP proxy'],
  ['s3cret://proxy.example.com', 'must be the URL of an HTTP proxy'],
  ['http://user:s3cret%@proxy.example.com:3128', 'has a % in its user or password'],
  ['a proxy with s3cret', 'is not the URL of a proxy'],
])('%j is a problem of its variable, which is not quoted', (value, problem) => {
  for (const path of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) {
    const { problems, findProxy, byVariable } = readEgressProxies({ [path]: value })
    expect(problems).toMatchObject([{ path, message: expect.stringContaining(problem) }])
    expect(problems[0]?.message).not.toMatch(/s3|cret/)
    expect([findProxy(new URL(HTTPS)), byVariable.size]).toEqual([undefined, 0])
  }
})

test('each variable is told by its own name', () => {
  const { byVariable } = readEgressProxies({ https_proxy: 'http://u:p@a:1', HTTP_PROXY: 'b' })
  expect([...byVariable].map(([variable, { name }]) => [variable, name])).toEqual([
    ['https_proxy', 'a:1'],
    ['HTTP_PROXY', 'b:80'],
  ])
})
