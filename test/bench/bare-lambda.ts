import awsLambdaFastify from '@fastify/aws-lambda'
import fastify from 'fastify'

/** What a cold start is measured against: Fastify behind `@fastify/aws-lambda`, answering a constant. */
const app = fastify({ logger: false })
app.post('/v1/tokens', async () => ({ token: 'constant' }))
export const handler = awsLambdaFastify(app, { decorateRequest: false })
