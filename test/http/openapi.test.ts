import { Ajv2020 } from 'ajv/dist/2020.js'
import fastify from 'fastify'
import request from 'supertest'
import { expect, test } from 'vitest'
import { describeRoutes } from '../../src/http/openapi.ts'
import type { App } from '../../src/http/types.ts'
import { startApi } from '../support/service/app.ts'
import { requestToken } from './support.ts'

interface Operation {
  summary: string
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

interface Description {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: Record<string, { type: string }> }
}

async function described() {
  const api = await startApi()
  const reply = await request(api.url).get('/openapi.json')
  expect(reply.status).toBe(200)
  expect(reply.headers['content-type']).toMatch(/^application\/json/)
  const description: Description = reply.body
  return { api, description }
}

test('/openapi.json describes every route and no other', async () => {
  const { description } = await described()
  const routes = Object.entries(description.paths).map(
    ([path, item]) => `${Object.keys(item).join()} ${path}`,
  )
  expect(routes.sort()).toEqual([
    'get /healthz',
    'get /openapi.json',
    'get /readyz',
    'get /v1/ca/{name}.pem',
    'get /v1/databases',
    'post /v1/tokens',
  ])
})

test('/openapi.json is valid OpenAPI 3.1, and every schema compiles', async () => {
  const { description } = await described()
  expect(description.openapi).toMatch(/^3\.1\.\d+$/)
  expect(description.info).toMatchObject({ title: 'jeton', version: expect.any(String) })
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
  for (const [path, item] of Object.entries(description.paths))
    for (const { summary, parameters = [], requestBody, responses } of Object.values(item)) {
      expect(summary).toMatch(/./)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath)
      for (const parameter of parameters) expect(parameter.required).toBe(true)
      expect(Object.keys(responses)).toContain('200')
      for (const [status, response] of Object.entries(responses)) {
        expect(response.description).toMatch(/./)
        const types = Object.keys(response.content ?? {})
        if (Number(status) >= 400) expect(types).toEqual(['application/problem+json'])
      }
      const contents = [requestBody, ...Object.values(responses)].flatMap(part =>
        Object.values(part?.content ?? {}),
      )
      for (const { schema } of contents) ajv.compile(schema)
    }
})

test('routes with authentication name both schemes, open routes none', async () => {
  const { description } = await described()
  expect(description.components.securitySchemes).toMatchObject({
    jwt: { type: 'http' },
    apiKey: { type: 'apiKey' },
  })
  for (const [path, item] of Object.entries(description.paths))
    for (const { security } of Object.values(item))
      expect(security).toEqual(/tokens|databases/.test(path) ? [{ jwt: [] }, { apiKey: [] }] : undefined)
})

test('a real reply and a real problem fit their schemas', async () => {
  const { api, description } = await described()
  const operation = description.paths['/v1/tokens']?.post
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
  const fits = (status: number, type: string, body: unknown) => {
    const schema = operation?.responses[status]?.content?.[type]?.schema
    if (!schema) throw new Error(`no schema for ${status}`)
    return ajv.validate({ ...schema, additionalProperties: false }, body)
  }
  const good = await requestToken(api, { authorization: await api.bearer() })
  expect(fits(200, 'application/json', good.body)).toBe(true)
  const bad = await requestToken(api)
  expect(fits(401, 'application/problem+json', bad.body)).toBe(true)
  const { code: _code, ...less } = bad.body
  expect(fits(401, 'application/problem+json', less)).toBe(false)
  const { token: _token, ...without } = good.body
  expect(fits(200, 'application/json', without)).toBe(false)
})

test('describeRoutes tries again after a failure, and computes the description once', async () => {
  const app = fastify()
  const describe = describeRoutes(app as unknown as App)
  let isBroken = true
  const schema = {
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
