import { readFile } from 'node:fs/promises'
import fastify from 'fastify'

/**
 * What jeton is measured by: Fastify routes that answer with the bytes of a file, the POST after it has parsed a JSON body.
 * Arguments: the file, its media type.
 */
const [, , file = '', mediaType = ''] = process.argv
const bytes = await readFile(file)
const text = bytes.toString()
const app = fastify({ logger: false })
app.post('/*', async (_request, reply) => reply.type(mediaType).send(text))
app.get('/*', async (_request, reply) => reply.type(mediaType).send(bytes))
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
