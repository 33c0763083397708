import { Ajv2020 } from 'ajv/dist/2020.js'
import fastify from 'fastify'
import request from 'supertest'
import { expect, test } from 'vitest'
import { type JetonError, STATUS } from '../../src/errors.ts'
import { describeRoutes } from '../../src/http/openapi.ts'
import { PROBLEM_TYPE } from '../../src/http/problem.ts'
import type { App } from '../../src/http/types.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { roleFailure } from '../../src/tokens/role-session/sts-failure.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { withoutReferences } from '../support/openapi.ts'
import { startApi, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { requestToken } from './support.ts'

interface Media {
  schema: object
  example?: unknown
  examples?: Record<string, { summary: string; value: unknown }>
}

interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: { name: string; in: string; required: boolean; description: string; schema: object }[]
  requestBody?: { required?: boolean; content: Record<string, Media> }
  responses: Record<
    string,
    {
      description: string
      content?: Record<string, Media>
      headers: Record<string, { description: string; required?: boolean; schema: object; example: unknown }>
    }
  >
}

interface Description {
  openapi: string
  info: Record<string, unknown>
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    securitySchemes: Record<string, { type: string }>
    schemas: Record<string, object>
    headers: Record<string, object>
  }
}

async function described() {
  const api = await startApi()
  const reply = await request(api.url).get('/openapi.json')
  expect(reply.status).toBe(200)
  expect(reply.headers['content-type']).toMatch(/^application\/json/)
  const description: Description = withoutReferences(reply.body)
  const operations = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
  )
  return { api, text: reply.text, description, operations }
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const ajv = new Ajv2020({ strict: false, formats: { 'date-time': DATE_TIME } })
const examplesOf = ({ example, examples = {} }: Media) => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
]

test('/openapi.json describes every route and no other', async () => {
  const { operations } = await described()
  expect(
    operations.map(({ method, path, operationId }) => `${method} ${path} ${operationId}`).sort(),
  ).toEqual([
    'get /healthz getHealth',
    'get /openapi.json getDescription',
    'get /readyz getReadiness',
    'get /v1/ca/{name}.pem getCaBundle',
    'get /v1/databases listDatabases',
    'get /v1/whoami whoAmI',
    'post /v1/tokens createToken',
  ])
})

test('says which API it is, under which licence, and what its tags mean', async () => {
  const { description, operations } = await described()
  expect(description.openapi).toMatch(/^3\.1\.\d+$/)
  expect(description.info).toMatchObject({
    title: 'jeton',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    description: expect.stringMatching(/./),
    license: { name: 'Apache-2.0' },
  })
  expect(description.servers).toHaveLength(1)
  for (const tag of description.tags) expect(tag.description).toMatch(/./)
  expect(new Set(operations.flatMap(({ tags }) => tags))).toEqual(
    new Set(description.tags.map(({ name }) => name)),
  )
})

test.each([
  ['https://jeton.example.com/', 'https://jeton.example.com/v1/tokens'],
  ['https://api.example.com/jeton/', 'https://api.example.com/jeton/v1/tokens'],
  [
    'https://a1b2c3.execute-api.us-east-1.amazonaws.com/prod/',
    'https://a1b2c3.execute-api.us-east-1.amazonaws.com/prod/v1/tokens',
  ],
])('read at %s, it leads there', async (base, tokens) => {
  const { description } = await described()
  const [server] = description.servers
  // as OpenAPI 3.1.0 says, 4.8.5: by RFC 3986, and a path is appended
  const { href } = new URL(server?.url ?? '', new URL('openapi.json', base))
  expect(`${href.replace(/\/$/, '')}/v1/tokens`).toBe(tokens)
})

test('every member of a body has a type and a description', async () => {
  const { description } = await described()
  type Schema = { type?: string; description?: string; properties?: Record<string, Schema>; items?: Schema }
  const lacking = (name: string, { properties = {}, items }: Schema): string[] => [
    ...Object.entries(properties).flatMap(([member, schema]) => [
      ...(schema.type && schema.description ? [] : [`${name}.${member}`]),
      ...lacking(`${name}.${member}`, schema),
    ]),
    ...(items === undefined ? [] : [...(items.type ? [] : [`${name}[]`]), ...lacking(`${name}[]`, items)]),
  ]
  const bodies = Object.entries(description.components.schemas)
  expect(bodies.length).toBeGreaterThan(4)
  expect(bodies.flatMap(([name, schema]) => lacking(name, schema))).toEqual([])
})

test('every operation has an id of its own, a summary and a description', async () => {
  const { operations } = await described()
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { path, operationId, summary, description, tags, parameters = [] } of operations) {
    expect(operationId).toMatch(/^[a-z][A-Za-z]+$/)
    expect([summary, description]).toEqual([expect.stringMatching(/./), expect.stringMatching(/\.$/)])
    expect(tags).toHaveLength(1)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect(parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath)
    for (const parameter of parameters)
      expect(parameter).toMatchObject({ required: true, description: expect.stringMatching(/./) })
  }
})

test('every reply has a description, headers that are described, and examples of its schema', async () => {
  const { operations } = await described()
  for (const { operationId, responses } of operations) {
    expect(Object.keys(responses)).toContain('200')
    for (const [status, { description, headers, content = {} }] of Object.entries(responses)) {
      const what = `${status} of ${operationId}`
      expect(description, what).toMatch(/\.$/)
      expect(Object.keys(headers), what).toContain('X-Request-Id')
      for (const { description: meaning, schema, example } of Object.values(headers)) {
        expect(meaning, what).toMatch(/./)
        expect(ajv.validate(schema, example), what).toBe(true)
      }
      if (Number(status) >= 400) expect(Object.keys(content), what).toEqual([PROBLEM_TYPE])
      expect(Object.keys(content).length, what).toBe(status === '304' ? 0 : 1)
      for (const media of Object.values(content)) {
        const examples = examplesOf(media)
        expect(examples.length, what).toBeGreaterThan(0)
        const validate = ajv.compile({ ...media.schema })
        for (const example of examples)
          expect([what, validate(example), validate.errors]).toEqual([what, true, null])
      }
    }
  }
})

test('every body of a request has examples of its schema', async () => {
  const { operations } = await described()
  const media = operations.flatMap(({ requestBody }) => Object.values(requestBody?.content ?? {}))
  expect(media).toHaveLength(1)
  for (const one of media) {
    expect(examplesOf(one).length).toBeGreaterThan(0)
    const validate = ajv.compile(one.schema)
    expect(examplesOf(one).map(example => [validate(example), validate.errors])).toEqual(
      examplesOf(one).map(() => [true, null]),
    )
  }
})

test('documents every error code, each with its status', async () => {
  const { operations } = await described()
  const examples = operations.flatMap(({ responses }) =>
    Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Object.values(content[PROBLEM_TYPE]?.examples ?? {}).map(({ value }) => ({
        documentedAs: Number(status),
        ...(value as { code: keyof typeof STATUS; status: number }),
      })),
    ),
  )
  for (const { documentedAs, code, status } of examples) {
    expect(documentedAs).toBe(status)
    expect(STATUS[code]).toBe(status)
  }
  expect(new Set(examples.map(({ code }) => code))).toEqual(new Set(Object.keys(STATUS)))
})

test('the token of the example has the fingerprint of the example', async () => {
  const { description } = await described()
  const { example } =
    description.paths['/v1/tokens']?.post?.responses[200]?.content?.['application/json'] ?? {}
  const { token, fingerprint } = example as { token: string; fingerprint: string }
  expect(fingerprint).toBe(sha256Hex(token))
})

test('the whoami of docs/http.md is the example', async () => {
  const { description } = await described()
  const { example } =
    description.paths['/v1/whoami']?.get?.responses[200]?.content?.['application/json'] ?? {}
  expect(JSON.parse(exampleIn(await readDocsPage('http'), 'whoami'))).toEqual(example)
})

test('references lead to components, and no component is left over', async () => {
  const { text, description } = await described()
  const { schemas, headers } = description.components
  const components = [
    ...Object.keys(schemas).map(name => `#/components/schemas/${name}`),
    ...Object.keys(headers).map(name => `#/components/headers/${name}`),
  ]
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference)
  expect(new Set(references)).toEqual(new Set(components))
})

test('routes with authentication name both schemes, open routes say that they need none', async () => {
  const { description, operations } = await described()
  expect(description.components.securitySchemes).toMatchObject({
    jwt: { type: 'http' },
    apiKey: { type: 'apiKey' },
  })
  for (const { path, security } of operations)
    expect(security).toEqual(/tokens|databases|whoami/.test(path) ? [{ jwt: [] }, { apiKey: [] }] : [])
})

test('a real reply and a real problem fit their schemas', async () => {
  const { api, description } = await described()
  const operation = description.paths['/v1/tokens']?.post
  const fits = (status: number, type: string, body: unknown) => {
    const schema = operation?.responses[status]?.content?.[type]?.schema
    if (!schema) throw new Error(`no schema for ${status}`)
    return ajv.validate({ ...schema, additionalProperties: false }, body)
  }
  const good = await requestToken(api, { authorization: await api.bearer() })
  expect(fits(200, 'application/json', good.body)).toBe(true)
  const bad = await requestToken(api)
  expect(fits(401, PROBLEM_TYPE, bad.body)).toBe(true)
  const denied = await requestToken(api, { authorization: await api.bearer(), body: { database: 'x' } })
  expect(denied.body).toMatchObject({ principal: { issuer: 'github' }, auditId: api.records.at(-1)?.id })
  expect(fits(403, PROBLEM_TYPE, denied.body)).toBe(true)
  const { code: _code, ...less } = bad.body
  expect(fits(401, PROBLEM_TYPE, less)).toBe(false)
  const { token: _token, ...without } = good.body
  expect(fits(200, 'application/json', without)).toBe(false)
})

test('what jeton answers stands among the examples, with the headers that are documented', async () => {
  const { api, description } = await described()
  const authorization = await api.bearer()
  const nightly = `ApiKey ${api.apiKey}`
  const fault = (sts: JetonError) => {
    api.faults.sts = sts
    return requestToken(api, { authorization }).then(reply => {
      api.faults.sts = undefined
      return reply
    })
  }
  const roleArn = 'arn:aws:iam::123456789012:role/jeton-orders'
  const stale = await api.bearer({ iat: 1_700_000_000, exp: 1_700_000_600 })
  const replies = [
    await requestToken(api, { authorization, body: {} }),
    await requestToken(api, { authorization: nightly }),
    await requestToken(api),
    await requestToken(api, { authorization: stale }),
    await requestToken(api, { authorization: await api.bearer({ aud: 'another' }) }),
    await requestToken(api, { authorization, body: { database: 'ledger' } }),
    await requestToken(api, { authorization, body: 'x'.repeat(20_000) }),
    await requestToken(api, { authorization, body: 'x', type: 'text/plain' }),
    await fault(roleFailure('role_refused', { roleArn })),
    await requestToken(api, { authorization: await api.bearer({ iss: UNREACHABLE_ISSUER }) }),
    await fault(new Error('a bug') as JetonError),
  ]
  await api.clock.advance(60_000)
  replies.push(await fault(roleFailure('temporarily_unavailable', { roleArn })))
  for (let i = 0; i < 101; i++) replies.push(await requestToken(api))
  const { responses = {} } = description.paths['/v1/tokens']?.post ?? {}
  const dateless = (text: string) => text.replace(/[\d-]+T[\d:.]+Z/, 'then')
  for (const { status, body, headers } of replies) {
    const { content = {}, headers: documented = {} } = responses[status] ?? {}
    const details = examplesOf(content[PROBLEM_TYPE] as Media).map(example => example as typeof body)
    expect(details.map(({ code, title, detail }) => [code, title, dateless(detail)])).toContainEqual([
      body.code,
      body.title,
      dateless(body.detail),
    ])
    for (const [name, { required }] of Object.entries(documented))
      if (required) expect(headers).toHaveProperty(name.toLowerCase())
  }
  expect(new Set(replies.map(({ status }) => status))).toEqual(
    new Set([400, 401, 403, 413, 415, 429, 500, 502, 503]),
  )
})

test('describeRoutes tries again after a failure, and computes the description once', async () => {
  const app = fastify()
  const describe = describeRoutes(app as unknown as App)
  let isBroken = true
  const schema = {
    operationId: 'getHealth',
    get summary() {
      if (isBroken) throw new Error('not now')
      return 'A thing'
    },
  }
  app.get('/thing', { schema }, async () => 'thing')
  await expect(describe()).rejects.toThrow('not now')
  isBroken = false
  expect(await describe()).toMatchObject({ paths: { '/thing': { get: { summary: 'A thing' } } } })
  expect(await describe()).toBe(await describe())
})

test('describeRoutes throws for a route whose replies are not described', async () => {
  const app = fastify()
  const describe = describeRoutes(app as unknown as App)
  app.get('/thing', { schema: { operationId: 'getThing' } }, async () => 'thing')
  await expect(describe()).rejects.toThrow('lacks the replies of "getThing"')
})
