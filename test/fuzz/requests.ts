import { bodyFor, type Dictionary } from './bodies.ts'
import type { Choice } from './choice.ts'
import type { Credentials } from './credentials.ts'
import type { Description, Operation } from './description.ts'
import { asHeaderValue, hostileText, misspelt, percentEncoded } from './hostile-text.ts'
import { mangled } from './mangled.ts'

/** A request as bytes, and what the server can be expected to make of it. */
export interface FuzzRequest {
  readonly method: string
  readonly target: string
  readonly bytes: Buffer
  /** Whether it is HTTP/1.1 to the letter, so that exactly one reply must come; what is not may be cut off. */
  readonly isWellFramed: boolean
}

export interface RequestParts {
  choice: Choice
  description: Description
  credentials: Credentials
  words: Dictionary
}

type Header = readonly [name: string, value: string]

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'SEARCH',
]
const CONTENT_TYPES = [
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'application/json;',
  'application/json, text/plain',
  'application/jsonp',
  'application/problem+json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'x',
  '',
  ';',
]
const ENCODINGS = ['gzip', 'identity', 'br', 'deflate, gzip', 'x', '']
const AGENTS = ['curl/8.9.1', 'a'.repeat(2000), '\u009b31mred', '\u202egnp.exe', '\u2028{"forged":true}', '']
const ADDRESSES = [
  'unknown',
  '127.0.0.1',
  '::ffff:10.0.0.1',
  '[2001:db8::1]:443',
  '203.0.113.9:20000',
  '1.2.3',
  ', ,',
]

/** Returns a request: in half of all cases for an operation as it is described, but for a body that may be anything. */
export function createRequest(parts: RequestParts): FuzzRequest {
  const { choice, description } = parts
  const operation = choice.oneOf(weighted(description.operations))
  const method = choice.chance(0.85) ? operation.method : choice.oneOf(METHODS)
  const target = targetOf(operation, choice)
  const body =
    operation.bodySchema && choice.chance(0.9) ? bodyFor(operation.bodySchema, parts) : oddBody(choice)
  const isChunked = body !== undefined && choice.chance(0.1)
  const headers = [...headersFor(parts, body !== undefined), ...framing(body, isChunked)]
  const payload = body === undefined ? Buffer.alloc(0) : isChunked ? chunked(body, choice) : body
  const bytes = Buffer.concat([headOf(method, target, headers), payload])
  if (choice.chance(0.88)) return { method, target, bytes, isWellFramed: true }
  return { method, target, bytes: mangled(bytes, { method, target, choice }), isWellFramed: false }
}

/** The operation with a body is worth as many requests as all others together. */
function weighted(operations: readonly Operation[]): Operation[] {
  return operations.flatMap(one => (one.bodySchema ? Array<Operation>(operations.length).fill(one) : one))
}

function targetOf({ path, pathParameters }: Operation, choice: Choice): string {
  let target = path
  for (const name of pathParameters) {
    const value = choice.chance(0.5)
      ? choice.oneOf(['us-east-1', 'eu-west-3', 'global', 'proxy', 'us-gov-west-1'])
      : percentEncoded(hostileText(choice)).slice(0, 300)
    target = target.replace(`{${name}}`, value || 'x')
  }
  if (choice.chance(0.85)) return target
  return choice.oneOf<() => string>([
    () => `${target}?${percentEncoded(hostileText(choice))}`,
    () => `${target}#x`,
    () => `${target}/`,
    () => `/${target}`,
    () => target.toUpperCase(),
    () => target.replace(/[a-z]/, letter => `%${letter.charCodeAt(0).toString(16)}`),
    () => `${target};a=b`,
    () => `/..${target}`,
    () => `http://localhost${target}`,
    () => `${target}%`,
    () => `${target}%00`,
    () => '*',
    () => `/${'a'.repeat(choice.integer(1, 6000))}`,
    () => misspelt(target, choice).replace(/ /g, '+'),
  ])()
}

function oddBody(choice: Choice): Buffer | undefined {
  return choice.chance(0.9) ? undefined : Buffer.from(hostileText(choice))
}

function headersFor({ choice, credentials }: RequestParts, hasBody: boolean): Header[] {
  const headers: Header[] = []
  const add = (name: string, value: string) => headers.push([name, value])
  const sometimes = (share: number, name: string, value: () => string) => {
    if (choice.chance(share)) add(name, asHeaderValue(value()))
  }
  if (!choice.chance(0.02))
    add('host', choice.chance(0.95) ? 'localhost' : asHeaderValue(hostileText(choice)))
  sometimes(0.01, 'host', () => 'elsewhere')
  const authorization = credentials.pick(choice)
  if (authorization !== undefined) add('authorization', authorization)
  sometimes(0.02, 'authorization', () => credentials.pick(choice) ?? '')
  if (hasBody)
    sometimes(0.97, 'content-type', () =>
      choice.chance(0.85) ? 'application/json' : choice.oneOf(CONTENT_TYPES),
    )
  sometimes(0.04, 'content-encoding', () => choice.oneOf(ENCODINGS))
  // an address for each request: the limit on failed credentials is not what is tested here
  add('x-forwarded-for', choice.chance(0.95) ? randomAddress(choice) : choice.oneOf(ADDRESSES))
  sometimes(0.1, 'user-agent', () => choice.oneOf(AGENTS))
  sometimes(0.03, 'accept', () =>
    choice.oneOf(['*/*', 'text/html', 'application/xml;q=0', hostileText(choice)]),
  )
  sometimes(0.03, 'if-none-match', () => choice.oneOf(['*', '"x"', 'W/"x", "y"', hostileText(choice)]))
  sometimes(0.02, 'x-request-id', () => hostileText(choice))
  sometimes(0.02, 'x-http-method-override', () => choice.oneOf(METHODS))
  sometimes(0.02, 'range', () => 'bytes=0-0,0-0')
  sometimes(0.02, 'expect', () => choice.oneOf(['100-continue', 'more', '']))
  sometimes(0.02, 'connection', () =>
    choice.oneOf(['close', 'keep-alive', 'upgrade', 'authorization, host', '']),
  )
  sometimes(0.01, 'upgrade', () => choice.oneOf(['websocket', 'h2c']))
  sometimes(0.02, 'cookie', () => hostileText(choice).repeat(choice.integer(1, 20)))
  sometimes(0.02, `x-${'a'.repeat(choice.integer(1, 100))}`, () => hostileText(choice))
  return headers
}

function randomAddress(choice: Choice): string {
  const byte = () => choice.integer(1, 254)
  return choice.chance(0.7)
    ? `198.${byte()}.${byte()}.${byte()}`
    : `2001:db8:${byte().toString(16)}:${choice.integer(0, 65_535).toString(16)}::${byte().toString(16)}`
}

function framing(body: Buffer | undefined, isChunked: boolean): Header[] {
  if (body === undefined) return []
  return isChunked ? [['transfer-encoding', 'chunked']] : [['content-length', String(body.length)]]
}

function chunked(body: Buffer, choice: Choice): Buffer {
  const middle = choice.integer(0, body.length)
  const chunks = [body.subarray(0, middle), body.subarray(middle)].filter(({ length }) => length > 0)
  const lines = chunks.flatMap(chunk => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...lines, Buffer.from('0\r\n\r\n')])
}

function headOf(method: string, target: string, headers: readonly Header[]): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ]
  return Buffer.from(lines.join('\r\n'), 'latin1')
}
