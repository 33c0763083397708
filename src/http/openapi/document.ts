import swagger from '@fastify/swagger'
import fastify, { type RouteOptions } from 'fastify'
import { schemaController } from '../schema-controller.ts'
import { HEADERS } from './headers.ts'
import { requestBodies, responsesOf, SCHEMAS } from './replies.ts'

/** What /openapi.json says beyond what the routes say about themselves. */
const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'jeton',
    version: '1.0.0',
    summary: 'RDS IAM authentication tokens for workloads without AWS credentials',
    description:
      'Vends Amazon RDS IAM database authentication tokens to workloads that hold no AWS credentials. Paths, members and codes are not renamed or removed within version 1; new ones may come.',
    contact: { name: 'The operator of this server' },
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  },
  tags: [
    { name: 'tokens', description: 'Tokens, and what a caller may have tokens for. With a credential.' },
    { name: 'certificates', description: 'Public certificates that verify databases. Open to all.' },
    { name: 'health', description: 'For load balancers and orchestrators. Open to all.' },
    { name: 'description', description: 'This description. Open to all.' },
  ],
  components: {
    securitySchemes: {
      jwt: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Authorization: Bearer <JWT>, of an issuer that is configured.',
      },
      apiKey: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'Authorization: ApiKey <key>',
      },
    },
    headers: HEADERS,
    schemas: SCHEMAS,
  },
} as const

/** Relative to the description's own URL, which may be below an API's stage or a domain's mapping. Not for swagger's plugin. */
const SERVERS = [{ url: '.', description: 'The server that this description comes from.' }]

/** The parts of swagger's operations that are read or replaced here. */
interface Operation {
  operationId?: string
  security?: readonly object[]
  requestBody?: object
  responses: object
}

/** Returns the OpenAPI document of routes. Throws if the replies of one of them are not described. */
export async function createDocument(routes: readonly RouteOptions[]): Promise<object> {
  const document = await describeRequests(routes)
  for (const item of Object.values(document.paths ?? {}))
    for (const [method, operation] of Object.entries<Operation>(item)) {
      const { operationId = '' } = operation
      // open to all, which a linter would take for forgotten
      operation.security ??= []
      if (operation.requestBody) operation.requestBody = requestBodies[operationId] ?? operation.requestBody
      operation.responses = responsesOf(operationId, method.toUpperCase())
    }
  return { ...document, servers: SERVERS }
}

/** Everything but the replies, as the routes have it. */
async function describeRequests(routes: readonly RouteOptions[]) {
  const twin = fastify({ logger: false, exposeHeadRoutes: false, schemaController })
  await twin.register(swagger, { openapi: DOCUMENT as never })
  for (const { schema, ...route } of routes)
    twin.route({ ...route, schema: { ...schema, response: undefined }, validatorCompiler: () => () => true })
  await twin.ready()
  return twin.swagger()
}
