import fastify, { type RouteOptions } from 'fastify'
import * as Type from 'typebox'
import { memoizeAsync } from '../lib/single-flight.ts'
import { schemaController } from './schema-controller.ts'
import type { App } from './types.ts'

/** What /openapi.json says beside what the routes say themselves. */
const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'jeton',
    version: '1',
    description:
      'Vends Amazon RDS IAM database authentication tokens to workloads that hold no AWS credentials.',
  },
  components: {
    securitySchemes: {
      jwt: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Authorization: Bearer <JWT>',
      },
      apiKey: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'Authorization: ApiKey <key>',
      },
    },
  },
} as const

/** Gives the function that describes the routes declared from here on. What describes them is loaded when first asked for. */
export function describeRoutes(app: App): () => Promise<object> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', ({ method, url, schema, handler }) => {
    // Fastify adds those by itself
    if (method !== 'HEAD') routes.push({ method, url, handler, ...(schema && { schema }) })
  })

  async function describe(): Promise<object> {
    const { default: swagger } = await import('@fastify/swagger')
    const paper = fastify({ logger: false, exposeHeadRoutes: false, schemaController })
    await paper.register(swagger, { openapi: openApi })
    for (const route of routes) paper.route({ ...route, validatorCompiler: () => () => true })
    await paper.ready()
    return paper.swagger()
  }

  return memoizeAsync(describe)
}

/** `GET /openapi.json`: what there is, for people and generators, open to all. */
export function openApiRoute(app: App, describe: () => Promise<object>): void {
  const schema = {
    summary: 'This description',
    response: { 200: Type.Object({}, { additionalProperties: true }) },
  }
  app.get('/openapi.json', { schema }, describe)
}
