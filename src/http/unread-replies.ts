import type { Server, ServerResponse } from 'node:http'
import type { ConnectionMetrics } from '../telemetry/metrics.ts'
import type { Connections } from './connections.ts'

/** How often a reply is looked at in the time that its client has. */
const CHECKS = 10

/**
 * Destroys connections whose client has not taken all of a reply `replyTimeoutMs` after it began, to a tenth of that time,
 * however little it takes now and then. While a server does not listen, nothing is looked at.
 */
export function cutUnreadReplies(
  server: Server,
  {
    connections,
    replyTimeoutMs,
    metrics,
  }: { connections: Connections; replyTimeoutMs: number; metrics: ConnectionMetrics },
): void {
  const checks = new WeakMap<ServerResponse, number>()
  let timer: NodeJS.Timeout | undefined

  server.on('listening', () => {
    timer = setInterval(check, replyTimeoutMs / CHECKS).unref()
  })
  server.on('close', () => clearInterval(timer))

  function check(): void {
    for (const { current, socket } of connections.open) {
      if (!current?.headersSent) continue
      const count = (checks.get(current) ?? 0) + 1
      checks.set(current, count)
      if (count <= CHECKS) continue
      metrics.onConnectionCut('unread')
      socket.destroy()
    }
  }
}
