import { readFile } from 'node:fs/promises'
import fastify from 'fastify'

/** The baseline of a cached vend: a Fastify route that parses a JSON body and returns a constant one. */
const body = await readFile(process.argv[2] ?? '', 'utf8')
const app = fastify({ logger: false })
app.post('/v1/tokens', async (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
