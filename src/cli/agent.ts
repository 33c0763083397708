import { createAgentFiles } from '../client/agent/agent-files.ts'
import { createAgentHealth } from '../client/agent/agent-health.ts'
import { createAskTokens } from '../client/agent/ask-tokens.ts'
import { type ChangeNotice, createChangeNotice } from '../client/agent/change-notice.ts'
import { findAnswer, keepToken } from '../client/agent/kept-token.ts'
import { createLoginStates } from '../client/agent/login-states.ts'
import { checkPlan } from '../client/agent/planned-files.ts'
import { runAgent } from '../client/agent/run-agent.ts'
import { runCommand } from '../client/agent/run-command.ts'
import { signalProgram } from '../client/agent/signal-program.ts'
import { createSleeper } from '../client/agent/sleeper.ts'
import type { SignalHost } from '../client/child-process.ts'
import { withholdCredentials } from '../client/credential-variables.ts'
import { startHealthServer } from '../client/daemon/health-server.ts'
import { type CallerError, failure } from '../client/errors.ts'
import type { JetonServer } from '../client/jeton-request.ts'
import { createStopwatches } from '../client/library/stopwatch.ts'
import type { Wait } from '../client/retry.ts'
import { monotonicClock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { LineStream } from '../telemetry/stderr-stream.ts'
import { type AgentArguments, type AgentPlan, parseAgentArguments } from './agent-arguments.ts'
import { catchCallerErrors } from './caller-command.ts'
import { openDaemonLog } from './daemon-log.ts'
import { type CallerContext, findServer } from './token-options.ts'
import { waitText } from './wait-notice.ts'

export interface AgentContext extends CallerContext {
  /** Node's `process`. */
  host: SignalHost
  /** Where the log goes; default: this process's stderr. */
  stream?: LineStream
}

/** How long the first tokens are waited for unless the command line says it: a platform may have no credential yet. */
const DEFAULT_WAIT = '10'
const NOTICE_RETRIES = 3

/**
 * `jeton agent`: writes files with logins and keeps them fresh until a signal ends it, which leaves them as they are; with `once`,
 * until they are written. Prints a line on stdout when all are written for the first time. Returns 0, or the exit code of what
 * went wrong before that; whatever comes later is said in the log and tried again.
 */
export function agentCommand(args: AgentArguments, context: AgentContext): Promise<number> {
  return catchCallerErrors(context.stderr, async () => {
    const plan = parseAgentArguments(args)
    const log = openDaemonLog(context)
    const end = new AbortController()
    const onEnd = () => end.abort()
    const sleeper = createSleeper({ clock: context.clock, signal: end.signal })
    // on a terminal, it says that the terminal is gone
    const onHangup = context.stderr.isTTY ? onEnd : sleeper.wake
    const handlers = { SIGTERM: onEnd, SIGINT: onEnd, SIGHUP: onHangup } as const
    const names = Object.keys(handlers) as (keyof typeof handlers)[]
    for (const name of names) context.host.on(name, handlers[name])
    try {
      return await runPlan(plan, { args, context, log, sleeper, signal: end.signal })
    } catch (cause) {
      if (end.signal.aborted) return 0
      throw cause
    } finally {
      end.abort()
      for (const name of names) context.host.off(name, handlers[name])
    }
  })
}

interface Run {
  args: AgentArguments
  context: AgentContext
  log: Log
  sleeper: ReturnType<typeof createSleeper>
  signal: AbortSignal
}

async function runPlan(plan: AgentPlan, { args, context, log, sleeper, signal }: Run): Promise<number> {
  const { clock, stdout } = context
  const monotonic = monotonicClock()
  const server = await openServer(args, { context, log, signal })
  const ask = createAskTokens({ server, lookup: context.lookup })
  const startStopwatch = createStopwatches({ wall: clock, monotonic })
  const tokens = plan.logins.map(wanted => keepToken({ wanted, ask, startStopwatch, random: Math.random }))
  const logins = createLoginStates({ tokens, clock, log })
  const edit = { clock: monotonic, random: Math.random, uid: process.geteuid?.() }
  const files = createAgentFiles({ planned: plan.files, tokens, edit, clock, log })
  const notice = openNotice(plan, { args, context, log, signal })
  let isStarted = false
  const health = createAgentHealth({
    isStarted: () => isStarted,
    logins: logins.states,
    files: files.states,
    noticeFailures: notice.failures,
    clock,
  })
  const watched = plan.health && (await startHealthServer(plan.health, health))
  try {
    log.info(
      { event: 'agent_started', files: plan.files.map(({ path }) => path), health: watched?.url },
      `keeping ${plan.logins.map(({ name }) => name).join(', ')} fresh`,
    )
    const [refused] = await logins.renew()
    signal.throwIfAborted()
    // of a login that is refused nobody knows which files it fits
    if (!refused) checkPlan(plan.files, login => findAnswer(tokens, login)?.reply)
    if (await files.write()) notice.announce()
    const problem = files.states().find(state => state.problem !== undefined)?.problem
    const error = refused ?? (problem === undefined ? undefined : failure(problem))
    isStarted = error === undefined
    if (isStarted) stdout.write('{"msg":"ready"}\n')
    if (args.once || error) return await endEarly(error, notice)
    await runAgent({ logins, files, notice, sleeper, signal })
    log.info({ event: 'agent_stopped' }, 'the agent has stopped; the files are as they are')
    return 0
  } finally {
    watched?.close()
  }
}

/** What others were written is told; and then what went wrong. */
async function endEarly(error: CallerError | undefined, notice: ChangeNotice): Promise<number> {
  const isWell = await notice.settled()
  if (error) throw error
  if (!isWell) throw failure('the files are written, and nobody was told')
  return 0
}

/** The server, whose requests end with the agent, and which says in the log why it waits. */
async function openServer(
  args: AgentArguments,
  { context, log, signal }: Pick<Run, 'context' | 'log' | 'signal'>,
): Promise<JetonServer> {
  const onWait = (wait: Wait) => log.warn({ event: 'agent_waiting' }, waitText(wait))
  const server = await findServer({ ...args, wait: args.wait ?? DEFAULT_WAIT }, { ...context, onWait })
  return { ...server, signal }
}

function openNotice(
  { onChange, program }: AgentPlan,
  { args, context, log, signal }: Pick<Run, 'args' | 'context' | 'log' | 'signal'>,
): ChangeNotice {
  const { clock, env, host } = context
  return createChangeNotice({
    async tell() {
      if (onChange !== undefined) await runCommand(onChange, { env: withholdCredentials(env), clock, signal })
      if (program) await signalProgram(program, host)
    },
    retries: args.once ? 0 : NOTICE_RETRIES,
    clock,
    signal,
    log,
  })
}
