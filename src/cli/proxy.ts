import { resolve } from 'node:path'
import type { DaemonHealth } from '../client/daemon/daemon-health.ts'
import { parseHealthAddress } from '../client/daemon/health-address.ts'
import { startHealthServer } from '../client/daemon/health-server.ts'
import { invalidUsage } from '../client/errors.ts'
import { defaultSocketFolder, makeSocketFolder } from '../client/proxy/local/socket-folder.ts'
import type { RunningProxy } from '../client/proxy/proxy.ts'
import { startProxy } from '../client/proxy/start-proxy.ts'
import { printableJson } from '../lib/printable.ts'
import type { Log } from '../telemetry/log.ts'
import type { LineStream } from '../telemetry/stderr-stream.ts'
import { catchCallerErrors } from './caller-command.ts'
import { openDaemonLog } from './daemon-log.ts'
import {
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_WAIT_SECONDS,
  findProxyParts,
  type ProxyContext,
  readDatabaseCa,
} from './proxy-parts.ts'
import { MAX_PORT, parseDatabases, parseWhole, placeDatabases } from './proxy-words.ts'
import { parseSeconds, type ServerArguments } from './token-options.ts'

export interface ProxyArguments extends ServerArguments {
  /** Each `NAME` or `NAME:PORT`. */
  databases: readonly string[]
  user?: string | undefined
  /** A CA bundle to verify the databases with, instead of the server's. */
  ca?: string | undefined
  socketDir?: string | undefined
  port?: string | undefined
  maxConnections?: string | undefined
  /** For how many seconds sessions may go on when the proxy is to end. */
  drain?: string | undefined
  health?: string | undefined
  /** Whether sessions without a name get one; default: yes. */
  applicationName?: boolean | undefined
}

/** Node's `process`, as far as it is asked to end. */
export interface EndingHost {
  on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown
}

export interface ProxyCommandContext extends ProxyContext {
  host: EndingHost
  /** Where the log goes; default: this process's stderr. */
  logStream?: LineStream
}

const DEFAULT_WAIT = String(DEFAULT_WAIT_SECONDS)
const DEFAULT_DRAIN = '30'
const CONNECTIONS_LIMIT = 100_000

/**
 * `jeton proxy`: logs local clients in to databases until SIGTERM or SIGINT, then lets their sessions end; a second signal ends
 * them at once. Prints on stdout where it listens, a line for each database, once it accepts. Returns the exit code: 0 after a
 * signal, else as `jeton token` does.
 */
export function proxyCommand(args: ProxyArguments, context: ProxyCommandContext): Promise<number> {
  return catchCallerErrors(context.stderr, async () => {
    const settings = parseSettings(args)
    const log = openDaemonLog({ env: context.env, stderr: context.stderr, stream: context.logStream })
    const health = createLateHealth()
    const healthServer = settings.health && (await startHealthServer(settings.health, health))
    try {
      const proxy = await open(settings, { args, context, log })
      health.proxy = proxy
      const ended = untilSignal({ proxy, drainMs: settings.drainMs, context, log })
      // not earlier, because a program that has read these lines may send signals
      announce(proxy, { context, log, healthUrl: healthServer?.url })
      await ended
      return 0
    } finally {
      healthServer?.close()
    }
  })
}

function parseSettings(args: ProxyArguments) {
  const { port, socketDir, health, wait = DEFAULT_WAIT, drain = DEFAULT_DRAIN } = args
  const { maxConnections = String(DEFAULT_MAX_CONNECTIONS) } = args
  if (port !== undefined && socketDir !== undefined)
    throw invalidUsage('--port is for loopback, --socket-dir for Unix sockets: give one of them')
  if (port === undefined && process.platform === 'win32')
    throw invalidUsage('there are no Unix sockets here: give --port')
  return {
    databases: parseDatabases(args.databases),
    firstPort: port === undefined ? undefined : parseWhole(port, { option: '--port', min: 0, max: MAX_PORT }),
    health: health === undefined ? undefined : parseHealthAddress(health),
    waitMs: parseSeconds(wait) * 1000,
    drainMs: parseSeconds(drain, '--drain') * 1000,
    maxConnections: parseWhole(maxConnections, {
      option: '--max-connections',
      min: 1,
      max: CONNECTIONS_LIMIT,
    }),
  }
}

type Settings = ReturnType<typeof parseSettings>

interface OpenParts {
  args: ProxyArguments
  context: ProxyCommandContext
  log: Log
}

async function open(settings: Settings, { args, context, log }: OpenParts): Promise<RunningProxy> {
  const { wait = DEFAULT_WAIT, user, ca, socketDir } = args
  const { databases: words, firstPort, waitMs, maxConnections } = settings
  const caPem = ca === undefined ? undefined : await readDatabaseCa(ca)
  const { parts, findCallerName } = await findProxyParts({ ...args, wait }, { context, log })
  const owner = { env: context.env, uid: process.getuid?.() }
  const folderOf = async (database: string) => {
    if (socketDir === undefined) return defaultSocketFolder(database, owner)
    await makeSocketFolder(resolve(socketDir), owner.uid)
    return resolve(socketDir)
  }
  const databases = await placeDatabases(words, { firstPort, folderOf, user })
  const named = args.applicationName === false ? {} : { findCallerName }
  return startProxy({ databases, waitMs, maxConnections, caPem, ...named }, parts)
}

function announce(
  { listening }: RunningProxy,
  { context, log, healthUrl }: Omit<OpenParts, 'args'> & { healthUrl: string | undefined },
): void {
  const databases = listening.map(({ database }) => database)
  log.info({ event: 'proxy_started', databases, health: healthUrl }, 'clients are accepted')
  const ports = listening.filter(({ socket }) => socket === undefined).map(({ port }) => port)
  if (ports.length > 0)
    log.warn(
      { event: 'proxy_open_to_users', ports },
      'every user and program on this machine may log in to the databases through these ports of 127.0.0.1; Unix sockets, without --port, are for this user alone',
    )
  for (const { database, socket, port } of listening) {
    const place = socket === undefined ? { port } : { socket }
    context.stdout.write(`${printableJson({ msg: 'listening', database, ...place })}\n`)
  }
}

interface EndParts {
  proxy: RunningProxy
  drainMs: number
  context: ProxyCommandContext
  log: Log
}

/** Resolves when a signal has come and all sessions have ended. A second signal ends them at once. */
async function untilSignal({ proxy, drainMs, context: { host }, log }: EndParts): Promise<void> {
  let onSignal = (_signal: NodeJS.Signals) => {}
  await new Promise<void>((resolve, reject) => {
    let leftMs = drainMs
    onSignal = signal => {
      log.info(
        { event: 'proxy_stopping', signal, seconds: leftMs / 1000 },
        'no clients are accepted any more; sessions may go on for these seconds',
      )
      proxy.close({ drainMs: leftMs }).then(resolve, reject)
      leftMs = 0
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) host.on(signal, onSignal)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) host.off(signal, onSignal)
  log.info({ event: 'proxy_stopped' }, 'all sessions have ended')
}

/** A health that is not ready before the proxy is. */
function createLateHealth(): DaemonHealth & { proxy: RunningProxy | undefined } {
  return {
    proxy: undefined,
    problem() {
      return this.proxy === undefined ? 'the proxy is starting' : this.proxy.health.problem()
    },
    metrics() {
      return this.proxy?.health.metrics() ?? []
    },
  }
}
