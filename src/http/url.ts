import type { Server } from 'node:http'

/** The URL of a server that listens: with the port that it really got. */
export function urlOf(server: Server, { host, tls }: { host: string; tls?: object | undefined }): string {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `${tls ? 'https' : 'http'}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}
