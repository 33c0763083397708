import Type from 'typebox'
import type { App } from './types.ts'

/** What /openapi.json says beside what the routes say themselves. */
export const openApi = {
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

/** `GET /openapi.json`: what there is, for people and generators, open to all. */
export function openApiRoute(app: App): void {
  const schema = {
    summary: 'This description',
    response: { 200: Type.Object({}, { additionalProperties: true }) },
  }
  app.get('/openapi.json', { schema }, async () => app.swagger())
}
