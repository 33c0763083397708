import type { App } from './types.ts'

/** How often a server that closes looks for connections that have become idle. */
const IDLE_CHECK_MS = 50

/**
 * Closes an app once its requests in flight are answered. Connections that are kept alive after their last reply would
 * otherwise delay that by a minute. Not by the clock: one that is put back meanwhile, by NTP or by a reply of AWS, would sleep
 * for as long as it was wrong.
 */
export async function closeApp(app: App): Promise<void> {
  const idleChecks = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS)
  await app.close().finally(() => clearInterval(idleChecks))
}
