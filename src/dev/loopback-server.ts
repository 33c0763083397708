import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LoopbackServer {
  readonly port: number
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Ends open connections too. */
  close(): Promise<void>
}

/** Answers HTTP requests on a free port of 127.0.0.1; cuts the connection of one that `serve` rejects for. */
export function serveOnLoopback(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  return listenOnLoopback(
    createServer((request, response) => {
      serve(request, response).catch(() => response.destroy())
    }),
  )
}

/** Lets an HTTP server listen on a free port of 127.0.0.1. Rejects if it cannot. */
export async function listenOnLoopback(server: Server): Promise<LoopbackServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
