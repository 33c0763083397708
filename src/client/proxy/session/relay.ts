import type { Duplex } from 'node:stream'
import { closed, finishWriting, lingerOn } from './end-connection.ts'

/** What waits for a slow reader, of one direction; then the other side is not read. */
const MAX_WAITING_BYTES = 256 * 1024
/** How long a side may take to close once the other is gone, and to take what was still for it. */
const LINGER_MS = 10_000

interface Ends {
  client: Duplex
  server: Duplex
  /** Passes on that the client has ended its side. */
  endServer(): void
}

/**
 * Copies bytes both ways, and resolves when both sides are closed. The end of one side is passed on, and the other may go on
 * sending. A side that breaks ends the session once the other has what was sent before. Never rejects.
 */
export async function relay({ client, server, endServer }: Ends): Promise<void> {
  copy(client, server, endServer)
  copy(server, client, () => client.end())
  const endClient = () => finishWriting(client, () => lingerOn(client, LINGER_MS))
  // databases do not go on reading after their end
  server.once('end', endClient)
  const clientClosed = closed(client).then(() => {
    // nobody is there for the rest of a reply; unread, it would keep the server from reading what is still to be sent
    server.removeAllListeners('data')
    lingerOn(server, LINGER_MS)
    finishWriting(server, () => server.destroy())
  })
  await Promise.all([clientClosed, closed(server).then(endClient), closed(client), closed(server)])
}

function copy(from: Duplex, to: Duplex, onEnd: () => void): void {
  if (from.destroyed || to.destroyed) return
  from.on('data', chunk => {
    to.write(chunk)
    if (to.writableLength > MAX_WAITING_BYTES) from.pause()
  })
  to.on('drain', () => from.resume())
  if (from.readableEnded) onEnd()
  else from.once('end', onEnd)
  if (to.writableLength <= MAX_WAITING_BYTES) from.resume()
}
