import type { ValidateFunction } from 'ajv/dist/2020.js'
import { TOKEN_EXAMPLE } from '../../src/http/openapi/examples.ts'
import { isJsonObject } from '../../src/lib/json.ts'
import type { RawReply } from '../support/raw-http/raw-reply.ts'
import { type Description, type Operation, PROBLEM_TYPE } from './description.ts'
import type { FuzzRequest } from './requests.ts'

const REQUEST_ID = /^[0-9a-f-]{36}$/

export interface CheckOptions {
  description: Description
  secrets: readonly string[]
}

/** Returns what is wrong with a reply; empty if nothing is. */
export function faultsOf(
  { method, target, isWellFramed }: FuzzRequest,
  reply: RawReply,
  { description, secrets }: CheckOptions,
): string[] {
  const { status, headers } = reply
  const faults: string[] = []
  const text = reply.body.toString()
  if (status >= 500) faults.push(`a ${status}`)
  if (!REQUEST_ID.test(headers.get('x-request-id') ?? '')) faults.push('it has no request id')
  if (headers.get('x-content-type-options') !== 'nosniff') faults.push('browsers may sniff its type')
  if (headers.has('www-authenticate') !== (status === 401))
    faults.push(`${status} with WWW-Authenticate: ${headers.get('www-authenticate')}`)
  if ((status === 429 || status === 503) && !/^[1-9]\d*$/.test(headers.get('retry-after') ?? ''))
    faults.push(`${status} without Retry-After`)
  if (secrets.some(secret => text.includes(secret))) faults.push('it quotes a credential')
  if (status >= 400)
    faults.push(...problemFaults(reply, { text, problem: description.problem, isHead: method === 'HEAD' }))

  // what was mangled may have become another request
  if (!isWellFramed) return faults
  const operations = description.operationsAt(target)
  if (!operations)
    return isPlainPath(target) && status !== 404 ? [...faults, ...unknownPathFaults(status)] : faults
  const operation = operations.get(method === 'HEAD' && !operations.has('HEAD') ? 'GET' : method)
  return operation
    ? [...faults, ...operationFaults(operation, reply, { text, isHead: method === 'HEAD' })]
    : [...faults, ...methodFaults(operations, reply, target)]
}

/** Refused for the head alone, wherever the request goes. */
const isOfHead = (status: number) => status === 400 || status === 431

const unknownPathFaults = (status: number) =>
  isOfHead(status) ? [] : [`${status} for a path that is not described`]

/** Encoded paths, queries and whole URLs may lead to a route by other ways. */
const isPlainPath = (target: string) => /^\/[\w./-]*$/.test(target)

function methodFaults(
  operations: ReadonlyMap<string, Operation>,
  { status, headers }: RawReply,
  target: string,
): string[] {
  if (isOfHead(status) || (status === 404 && !isPlainPath(target))) return []
  if (status !== 405) return [`${status} for a method that the path does not have`]
  const allowed = (headers.get('allow') ?? '').split(/, */)
  return [...operations.keys()]
    .filter(method => !allowed.includes(method))
    .map(method => `405 whose Allow lacks ${method}`)
}

function operationFaults(
  { path, method, responses }: Operation,
  { status, headers }: RawReply,
  { text, isHead }: { text: string; isHead: boolean },
): string[] {
  const documented = responses.get(status)
  if (!documented) return [`${method} ${path} does not document ${status}`]
  const missing = documented.headers
    .filter(name => !headers.has(name))
    .map(name => `${status} of ${method} ${path} lacks the documented ${name}`)
  const cacheControl = headers.get('cache-control')
  const withoutExample = text.replaceAll(TOKEN_EXAMPLE.token, '')
  if (status === 200 && cacheControl !== 'no-store' && withoutExample.includes('X-Amz-'))
    missing.push(`a token with Cache-Control: ${cacheControl}`)
  const type = mediaTypeOf(headers)
  if (isHead || documented.contents.size === 0 || status === 304) return missing
  if (!documented.contents.has(type)) return [...missing, `${status} of ${method} ${path} has type ${type}`]
  const validate = documented.contents.get(type)
  return validate ? [...missing, ...schemaFaults(text, validate, `${status} of ${method} ${path}`)] : missing
}

function problemFaults(
  { status, headers }: RawReply,
  { text, problem, isHead }: { text: string; problem: ValidateFunction; isHead: boolean },
): string[] {
  const faults: string[] = []
  if (mediaTypeOf(headers) !== PROBLEM_TYPE) faults.push(`${status} has type ${headers.get('content-type')}`)
  if (headers.get('cache-control') !== 'no-store') faults.push(`${status} may be cached`)
  if (isHead) return faults
  faults.push(...schemaFaults(text, problem, `the problem of a ${status}`))
  const body = parse(text)
  if (isJsonObject(body) && (body.status !== status || body.requestId !== headers.get('x-request-id')))
    faults.push(`the problem of a ${status} names another status or request id`)
  return faults
}

function schemaFaults(text: string, validate: ValidateFunction, what: string): string[] {
  const body = parse(text)
  if (body === undefined) return [`${what} is not JSON: ${text.slice(0, 100)}`]
  return validate(body) ? [] : [`${what} is not of its schema: ${JSON.stringify(validate.errors?.[0])}`]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const mediaTypeOf = (headers: ReadonlyMap<string, string>) =>
  (headers.get('content-type') ?? '').replace(/ *;.*$/, '').toLowerCase()
