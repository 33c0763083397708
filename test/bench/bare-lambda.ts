import awsLambdaFastify from '@fastify/aws-lambda'
import fastify from 'fastify'

/** The baseline of a cold start: Fastify behind `@fastify/aws-lambda`, with a constant reply. */
const app = fastify({ logger: false })
app.post('/v1/tokens', async () => ({ token: 'constant' }))
export const handler = awsLambdaFastify(app, { decorateRequest: false })
