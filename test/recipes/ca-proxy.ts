import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CaProxy {
  readonly url: string
  /** How many tokens have been asked for. */
  readonly requests: () => number
  close(): Promise<void>
}

/**
 * Passes requests on to a jeton server, and replies back with `caPem` in place of RDS's certificates, which no test has the
 * keys of. Nothing else of a reply is changed.
 */
export async function startCaProxy(target: string, caPem: string): Promise<CaProxy> {
  let requests = 0
  const server = createServer(async (request, response) => {
    requests++
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization = '', 'content-type': type = '' } = request.headers
    const reply = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    }).catch(() => undefined)
    if (!reply) return response.destroy()
    const body = JSON.parse(await reply.text())
    if (body.ca?.pem) body.ca.pem = caPem
    const headers = { 'content-type': reply.headers.get('content-type') ?? '' }
    return response.writeHead(reply.status, headers).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
