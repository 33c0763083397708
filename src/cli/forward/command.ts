import { resolve } from 'node:path'
import { type HealthServer, startHealthServer } from '../../client/daemon/health-server.ts'
import { CallerError, errorLine, failure, invalidUsage } from '../../client/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { createEgressFetch } from '../../lib/egress-fetch.ts'
import { readEgressProxies } from '../../lib/egress-proxies.ts'
import type { Fetch } from '../../lib/fetch-json.ts'
import { printableJson } from '../../lib/printable.ts'
import type { Environment } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import type { Log } from '../../telemetry/log.ts'
import type { LineStream } from '../../telemetry/stderr-stream.ts'
import { openDaemonLog } from '../daemon-log.ts'
import type { CommandOutput } from '../streams.ts'
import { catchUsageErrors } from '../usage-error.ts'
import { type CursorFile, type LogPosition, openCursor } from './cursor-file.ts'
import { createDeliver } from './deliver.ts'
import { endingSignals, type ForwardHost } from './ending-signals.ts'
import { type ForwardArguments, parseForwardArguments } from './forward-arguments.ts'
import { createForwardState } from './forward-state.ts'
import { type ForwardedLog, withForwardedLog } from './forwarded-log.ts'
import { createReceiver } from './receiver.ts'
import { createReadHeaders } from './request-headers.ts'
import { runForward } from './run-forward.ts'

export interface ForwardContext extends CommandOutput {
  env: Environment
  fetch: Fetch
  clock: Clock
  random: () => number
  host: ForwardHost
  /** Where the log goes; default: this process's stderr. */
  stream?: LineStream
}

/** How long `--once` waits for a receiver that is busy or down: whoever starts it does so again. */
const ONCE_PATIENCE_MS = 60_000

/**
 * `jeton audit forward`: sends the records of a log to a receiver over HTTP, at least once each, until a signal ends it; with
 * `once`, what is there. It only reads the log, in a process of its own. Returns the exit code: 0 after a signal, 1 for a log or
 * a cursor that cannot be used, 2 for a usage error, 3 if the receiver refuses for good, 4 if `once` found it busy or down.
 */
export function forwardCommand(args: ForwardArguments, context: ForwardContext): Promise<number> {
  const { stderr } = context
  return catchUsageErrors(stderr, async () => {
    try {
      return await forward(args, context)
    } catch (cause) {
      // others, such as those of the configuration, have a form of their own
      if (!(cause instanceof CallerError)) throw cause
      stderr.write(errorLine(cause))
      return cause.exitCode
    }
  })
}

async function forward(args: ForwardArguments, context: ForwardContext): Promise<number> {
  const { env, clock } = context
  const settings = parseForwardArguments(args, { env, now: clock.now() })
  const { findProxy, problems } = readEgressProxies(env)
  const [problem] = problems
  if (problem) throw invalidUsage(`${problem.path} ${problem.message}`)
  const readHeaders = createReadHeaders({ headerFile: args.headerFile, env })
  await readHeaders()
  const log = openDaemonLog(context)
  const signals = endingSignals(context.host)
  try {
    return await withForwardedLog({ ...args, file: args.file, env, clock }, source => {
      const fetch = createEgressFetch({ fetch: context.fetch, findProxy })
      const { url, timeoutMs } = settings
      const receiver = createReceiver({ url, readHeaders, fetch, clock, timeoutMs })
      return forwardLog(source, { args, settings, receiver, signals, context, log })
    })
  } finally {
    signals.close()
  }
}

interface ForwardParts {
  args: ForwardArguments
  settings: ReturnType<typeof parseForwardArguments>
  receiver: ReturnType<typeof createReceiver>
  signals: ReturnType<typeof endingSignals>
  context: ForwardContext
  log: Log
}

async function forwardLog<Position extends LogPosition>(
  source: ForwardedLog<Position>,
  { args, settings, receiver, signals, context, log }: ForwardParts,
): Promise<number> {
  const { clock, random, stdout } = context
  const { url, formatName, maxRecords, once } = settings
  const { stop, abort } = signals
  const path = resolve(args.cursor ?? (await source.cursorPath()))
  const cursor = await openCursor({ path, log: source.name, parse: source.parse, clock })
  const state = createForwardState(clock)
  let health: HealthServer | undefined
  try {
    health = settings.health && (await startHealthServer(settings.health, state.health))
    const isAwaited = !cursor.initial && !(await source.exists())
    if (isAwaited && once) throw failure(`there is no ${source.name}`)
    const position = cursor.initial ?? (await firstPosition(cursor, { source, settings }))
    const patienceMs = once ? ONCE_PATIENCE_MS : Number.POSITIVE_INFINITY
    const deliver = createDeliver({
      ...settings,
      receiver,
      patienceMs,
      clock,
      random,
      log,
      state,
      stop,
      abort,
    })
    // of a URL, the path and the query may be secret
    const facts = { log: source.name, to: url.origin, format: formatName, cursor: path }
    log.info({ event: 'forward_started', ...facts, health: health?.url }, 'records are forwarded')
    if (isAwaited)
      log.warn({ event: 'forward_log_absent', ...facts }, 'there is no such log yet: it is waited for')
    stdout.write(`${printableJson({ msg: 'forwarding', ...facts })}\n`)
    await runForward({ source, cursor, position, deliver, maxRecords, once, clock, log, state, stop })
    log.info({ event: 'forward_stopped' }, 'it goes on from the cursor when it starts again')
    return 0
  } finally {
    health?.close()
    await cursor.unlock()
  }
}

/** Written before anything is sent: what is recorded while the receiver is down belongs to it, also after a restart. */
async function firstPosition<Position extends LogPosition>(
  cursor: CursorFile<Position>,
  { source, settings }: { source: ForwardedLog<Position>; settings: ForwardParts['settings'] },
): Promise<Position> {
  const position = await source.startAt(settings.start)
  await cursor.write(position).catch(cause => {
    throw failure(`the cursor cannot be written${systemCodeNote(cause)}`, cause)
  })
  return position
}
