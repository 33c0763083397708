import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VendedToken } from '../../../../src/client/library/types.ts'
import { createProtocolParts } from '../../../../src/client/proxy/login/protocol-parts.ts'
import { createMysqlProxy, type MysqlProxyOptions } from '../../../../src/client/proxy/mysql/mysql-proxy.ts'
import type { ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { describeFailure } from '../../../../src/client/proxy/session/describe-failure.ts'
import { serveSession } from '../../../../src/client/proxy/session/serve-session.ts'
import type { DatabaseWatch, FailureReason } from '../../../../src/client/proxy/watch-database.ts'
import { systemClock } from '../../../../src/lib/clock.ts'

/** The sessions of `jeton proxy` for one database, with tokens of a test's own. */
export interface LocalProxy {
  /** A Unix socket. */
  readonly path: string
  /** The same on 127.0.0.1. */
  readonly port: number
  readonly failures: readonly FailureReason[]
  close(): Promise<void>
}

export interface LocalProxyOptions extends MysqlProxyOptions {
  /** Returns a token, once for all who ask at the same time, or another in the place of one that was refused. */
  vend(refused?: VendedToken): VendedToken
  callerName?: string
  /** Where connections to the server come from. */
  localAddress?: string
}

export async function startLocalProxy(options: LocalProxyOptions): Promise<LocalProxy> {
  const { vend, callerName, localAddress } = options
  const clock = systemClock()
  const startStopwatch = () => {
    const startedAt = performance.now()
    return () => performance.now() - startedAt
  }
  let current: VendedToken | undefined
  const parts = createProtocolParts({
    source: {
      async get() {
        current ??= vend()
        return current
      },
      async refused(token) {
        if (current === token) current = vend(token)
        return current ?? token
      },
    },
    clock,
    startStopwatch,
    waitMs: 1000,
    random: () => 0.5,
    lookUpAll: async host => [{ address: host }],
    onTokenRefused: () => {},
    callerName,
  })
  const protocol = createMysqlProxy(
    localAddress ? { ...parts, dial: dialFrom(localAddress) } : parts,
    options,
  )
  const failures: FailureReason[] = []
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const sessions = new Set<Promise<void>>()

  async function listen(at: ListenOptions) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      const session = serveSession(socket, {
        protocol,
        watch: {
          sessionOpened: () => {},
          sessionEnded: () => {},
          sessionFailed: (_error, reason) => void failures.push(reason),
        } as Partial<DatabaseWatch> as DatabaseWatch,
        describe: cause => describeFailure(cause, { database: 'ledger', token: current }),
        clock,
        startStopwatch,
        maxLoginMs: 10_000,
        stop: stop.signal,
      }).finally(() => sessions.delete(session))
      sessions.add(session)
    })
    await new Promise<void>(resolve => void server.listen(at, resolve))
    return server
  }
  const path = join(tmpdir(), `jeton-my-${randomUUID()}.sock`)
  const onPath = await listen({ path })
  const onPort = await listen({ port: 0, host: '127.0.0.1' })
  return {
    path,
    port: (onPort.address() as AddressInfo).port,
    failures,
    async close() {
      stop.abort()
      await Promise.all([onPath, onPort].map(server => new Promise(resolve => server.close(resolve))))
      await Promise.all(sessions)
      await rm(path, { force: true })
    },
  }
}

const dialFrom =
  (localAddress: string): ProtocolParts['dial'] =>
  ({ connect: at = '' }, { signal }) =>
    new Promise((resolve, reject) => {
      const [host = '', port] = at.split(':')
      const socket = connect({ host, port: Number(port), allowHalfOpen: true, localAddress })
      signal.addEventListener('abort', () => socket.destroy(), { once: true })
      socket.once('error', reject).once('connect', () => {
        resolve({ socket: socket.on('error', () => {}), address: host, failed: [] })
      })
    })
