import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStopwatches } from '../../../../src/client/library/stopwatch.ts'
import { describeFailure } from '../../../../src/client/proxy/describe-failure.ts'
import { createPostgresProxy } from '../../../../src/client/proxy/postgres/postgres-proxy.ts'
import type { ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { serveSession } from '../../../../src/client/proxy/serve-session.ts'
import type { SessionError } from '../../../../src/client/proxy/session-error.ts'
import { watchDatabase } from '../../../../src/client/proxy/watch-database.ts'
import { monotonicClock } from '../../../../src/lib/clock.ts'
import { createLogRecorder } from '../../../support/service/log-recorder.ts'

/** A Unix socket whose clients are served with parts of the test's. */
export interface LocalProxy {
  readonly folder: string
  readonly path: string
  /** Why clients got no session. */
  readonly errors: readonly SessionError[]
  close(): Promise<void>
}

export async function startLocalProxy(parts: ProtocolParts): Promise<LocalProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  const path = join(folder, '.s.PGSQL.5432')
  const errors: SessionError[] = []
  const stop = new AbortController()
  const clock = monotonicClock()
  const startStopwatch = createStopwatches({ wall: clock, monotonic: clock })
  const watch = watchDatabase({ database: 'orders', log: createLogRecorder(), clock, startStopwatch })
  const sessionParts = {
    protocol: createPostgresProxy(parts),
    watch: { ...watch, sessionFailed: (error: SessionError) => void errors.push(error) },
    describe: (cause: unknown) => describeFailure(cause, { database: 'orders' }),
    clock,
    startStopwatch,
    maxLoginMs: 30_000,
    stop: stop.signal,
  }
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => {})
    void serveSession(socket, sessionParts)
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  return {
    folder,
    path,
    errors,
    async close() {
      stop.abort()
      await new Promise(resolve => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}
