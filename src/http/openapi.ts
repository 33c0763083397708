import type { RouteOptions } from 'fastify'
import * as Type from 'typebox'
import { memoizeAsync } from '../lib/single-flight.ts'
import type { App } from './types.ts'

/**
 * Records the routes that are declared from now on. Returns the function that describes them in OpenAPI 3.1: it loads what
 * only that needs with its first call, and computes the description once. It throws if `openapi/replies.ts` lacks a route.
 */
export function describeRoutes(app: App): () => Promise<object> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', ({ method, url, schema, handler }) => {
    // Fastify adds a HEAD route to every GET route
    if (method !== 'HEAD') routes.push({ method, url, handler, ...(schema && { schema }) })
  })

  return memoizeAsync(async () => {
    const { createDocument } = await import('./openapi/document.ts')
    return createDocument(routes)
  })
}

/** Adds `GET /openapi.json`: the description of this API for people and generators, open to all. */
export function addOpenApiRoute(app: App, describe: () => Promise<object>): void {
  const schema = {
    operationId: 'getDescription',
    tags: ['description'],
    summary: 'This description',
    description: 'OpenAPI 3.1, with an example of every reply.',
    response: { 200: Type.Object({}, { additionalProperties: true }) },
  }
  app.get('/openapi.json', { schema }, describe)
}
