import fastify, { type RouteOptions } from 'fastify'
import * as Type from 'typebox'
import { memoizeAsync } from '../lib/single-flight.ts'
import { schemaController } from './schema-controller.ts'
import { problemResponses } from './schemas.ts'
import type { App } from './types.ts'

/** What /openapi.json says beyond what the routes say about themselves. */
const DOCUMENT = {
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

/**
 * Records the routes that are declared from now on. Returns the function that describes them in OpenAPI 3.1: it loads the
 * library for that with its first call, and computes the description once.
 */
export function describeRoutes(app: App): () => Promise<object> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', ({ method, url, schema, handler }) => {
    // Fastify adds a HEAD route to every GET route
    if (method !== 'HEAD') routes.push({ method, url, handler, ...(schema && { schema }) })
  })

  return memoizeAsync(async () => {
    const { default: swagger } = await import('@fastify/swagger')
    const twin = fastify({ logger: false, exposeHeadRoutes: false, schemaController })
    await twin.register(swagger, { openapi: DOCUMENT })
    for (const route of routes) twin.route({ ...route, validatorCompiler: () => () => true })
    await twin.ready()
    return twin.swagger()
  })
}

/** Adds `GET /openapi.json`: the description of this API for people and generators, open to all. */
export function addOpenApiRoute(app: App, describe: () => Promise<object>): void {
  const schema = {
    summary: 'This description',
    response: { 200: Type.Object({}, { additionalProperties: true }), ...problemResponses(400, 405, 431) },
  }
  app.get('/openapi.json', { schema }, describe)
}
