import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'

export interface SeenRequest {
  method: string
  /** With its query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON, text as it is; undefined is no answer at all. */
  body: unknown
}

/** A stand-in for what a platform provides at a URL or a socket, which keeps the requests that it sees. */
export interface Endpoint {
  /** Empty at a socket. */
  readonly url: string
  readonly seen: SeenRequest[]
  /** Makes the answer to a request; default: 404. */
  answer: (request: SeenRequest, incoming: IncomingMessage) => Answer
  close(): Promise<void>
}

export async function startEndpoint(socketPath?: string): Promise<Endpoint> {
  const seen: SeenRequest[] = []
  const server = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    const { method = '', url: path = '', headers } = incoming
    const request = { method, path, headers, body }
    seen.push(request)
    const answer = endpoint.answer(request, incoming)
    if (answer.body === undefined) return
    response.writeHead(answer.status ?? 200, answer.headers)
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  })
  const listening = socketPath === undefined ? await listenOnLoopback(server) : undefined
  if (socketPath !== undefined) await new Promise<void>(resolve => server.listen(socketPath, resolve))
  const endpoint: Endpoint = {
    url: listening?.url ?? '',
    seen,
    answer: () => ({ status: 404, body: '' }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return endpoint
}
