import { resolve } from 'node:path'
import { type CommandResult, forwardSignals } from '../client/child-process.ts'
import { type CommandFolder, withCommandFolder } from '../client/command-folder.ts'
import { putLocalLogin } from '../client/local-environment.ts'
import { localUrlVariables } from '../client/local-login-url.ts'
import { applyChanges } from '../client/login.ts'
import type { RunningProxy } from '../client/proxy/proxy.ts'
import { startProxy } from '../client/proxy/start-proxy.ts'
import type { Environment } from '../lib/process-input.ts'
import type { Log } from '../telemetry/log.ts'
import { openDaemonLog } from './daemon-log.ts'
import type { ExecRun } from './exec-run.ts'
import {
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_WAIT_SECONDS,
  findProxyParts,
  readDatabaseCa,
} from './proxy-parts.ts'
import { type CallerArguments, parseSeconds } from './token-options.ts'

export interface ExecProxyArguments extends CallerArguments {
  /** A CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
  /** Where the proxy listens, 0 for any port; undefined for a private socket. */
  loopbackPort: number | undefined
}

/** Of TMPDIR, so that the path of a socket in a folder of it is not too long for any system. */
const MAX_TEMPORARY_BYTES = 72

/**
 * Runs a command that logs in through a proxy of its own, which serves until the command has ended, and then ends at once. The
 * command's environment has no secret. A signal ends the start of the proxy; after it, signals go to the command. Throws
 * CallerError as the start of a proxy does.
 */
export async function runThroughProxy(args: ExecProxyArguments, run: ExecRun): Promise<CommandResult> {
  const { context } = run
  const forwarder = forwardSignals(context.host)
  try {
    return await withCommandFolder(shortTemporary(context.env), async folder => {
      const starting = startProxyFor(args, { folder, run })
      const interrupted = forwarder.interrupted.then(signal => ({ signal }))
      const started = await Promise.race([starting, interrupted])
      if ('signal' in started) {
        starting.catch(() => undefined)
        return started
      }
      try {
        const env = await commandEnvironment(started, { folder, run })
        return await forwarder.run({ ...run.command, env })
      } finally {
        await started.close({ drainMs: 0 })
      }
    })
  } finally {
    forwarder.release()
  }
}

async function startProxyFor(
  { database, user, ca, loopbackPort, ...args }: ExecProxyArguments,
  { folder, run: { context } }: { folder: CommandFolder; run: ExecRun },
): Promise<RunningProxy> {
  let isServing = false
  const log = createQuietLog(openDaemonLog(context), () => isServing)
  const wait = args.wait ?? String(DEFAULT_WAIT_SECONDS)
  const { parts, findCallerName } = await findProxyParts({ ...args, wait }, { context, log })
  const listen = loopbackPort === undefined ? { folder: folder.path } : { loopbackPort }
  const proxy = await startProxy(
    {
      databases: [{ name: database, user, listen }],
      waitMs: parseSeconds(wait) * 1000,
      maxConnections: DEFAULT_MAX_CONNECTIONS,
      findCallerName,
      caPem: ca === undefined ? undefined : await readDatabaseCa(ca),
    },
    parts,
  )
  isServing = true
  return proxy
}

async function commandEnvironment(
  { listening: [database] }: RunningProxy,
  { folder, run: { urls, context } }: { folder: CommandFolder; run: ExecRun },
): Promise<Environment> {
  if (!database) throw new Error('a proxy without a database')
  const { token, socket, port } = database
  const login = { ...token, socket, port }
  const { set, unset } = await putLocalLogin(login, folder.put)
  return applyChanges(context.env, { set: { ...set, ...localUrlVariables(urls, login) }, unset })
}

/** Beside what the command prints: at the start what is waited for, then warnings and errors, and when what they told is over. */
function createQuietLog(log: Log, isServing: () => boolean): Log {
  return {
    debug() {},
    info(fields, msg) {
      if (fields.event === (isServing() ? 'proxy_token_recovered' : 'proxy_waiting')) log.info(fields, msg)
    },
    // what fails before that is thrown too
    warn: (fields, msg) => isServing() && log.warn(fields, msg),
    error: (fields, msg) => isServing() && log.error(fields, msg),
  }
}

/** A longer path in TMPDIR gives way to /tmp. */
function shortTemporary(env: Environment): Environment {
  const isShort = Buffer.byteLength(resolve(env.TMPDIR || '/tmp')) <= MAX_TEMPORARY_BYTES
  return isShort ? env : { ...env, TMPDIR: '/tmp' }
}
