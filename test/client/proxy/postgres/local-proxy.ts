import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createPostgresProxy } from '../../../../src/client/proxy/postgres/postgres-proxy.ts'
import type { ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { SessionError } from '../../../../src/client/proxy/session-error.ts'
import { createByteChannel } from '../../../../src/client/wire/byte-channel.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'

/** A Unix socket on which the protocol is spoken, with as little around it as it takes. */
export interface LocalProxy {
  readonly folder: string
  readonly path: string
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

export async function startLocalProxy(parts: ProtocolParts): Promise<LocalProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  const path = join(folder, '.s.PGSQL.5432')
  const errors: unknown[] = []
  const sockets = new Set<Socket>()
  const proxy = createPostgresProxy(parts)

  async function serve(socket: Socket): Promise<void> {
    const channel = createByteChannel(socket, { peer: 'client' })
    const session = proxy.accept(channel)
    try {
      const link = await session.open(new AbortController().signal)
      const unread = channel.release()
      if (link === undefined) return void socket.end()
      socket.write(Buffer.concat([link.toClient, link.server.release()]))
      link.server.stream.write(unread)
      await Promise.allSettled([pipeline(socket, link.server.stream), pipeline(link.server.stream, socket)])
      link.onEnd?.()
    } catch (cause) {
      errors.push(cause)
      socket.end(session.encodeError(toSessionError(cause)))
    }
  }

  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}))
    void serve(socket)
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  return {
    folder,
    path,
    errors,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

function toSessionError(cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause
  if (!(cause instanceof WireError)) return new SessionError(`a bug: ${cause}`, { failure: 'refused' })
  const failure = cause.failure === 'refused' ? 'database' : 'refused'
  return new SessionError(cause.message, { failure, reply: cause.reply, cause })
}
