import { constants } from 'node:os'
import {
  type ChildCommand,
  type CommandResult,
  forwardSignals,
  type SignalHost,
} from '../client/child-process.ts'
import { clientFamily } from '../client/environment.ts'
import { errorLine } from '../client/errors.ts'
import { type Login, prepareLogin, withLogin } from '../client/login.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { type ExecWords, parseExecWords } from './exec-usage.ts'
import { EXEC_FAILED } from './exit-codes.ts'
import { explainStartFailure } from './start-failure.ts'
import { type CallerArguments, type CallerContext, requestTokenFor } from './token-options.ts'

export interface ExecArguments extends Omit<CallerArguments, 'database'>, ExecWords {
  /** A CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
}

export interface ExecContext extends CallerContext {
  /** Node's `process`. */
  host: SignalHost
}

/** How long this process waits to be ended by the signal that it sends itself. */
const SIGNAL_WAIT_MS = 1000

/**
 * `jeton exec`: runs a command that can log in to the database and returns its exit code, or 125 if jeton fails or is
 * refused, 126 if the command cannot be run, 127 if it is not found. If a signal ends the command, ends this process by the
 * same signal. The command sees this environment with the login, without the caller's credentials. Its token opens new
 * connections until it expires; nothing renews it. A temporary folder that SIGKILL leaves behind contains no secret.
 */
export async function execCommand(args: ExecArguments, context: ExecContext): Promise<number> {
  try {
    const { database, command, commandArgs } = parseExecWords(args)
    const login = await requestLogin({ ...args, database }, context)
    const result = await runWithLogin(login, { command: { command, args: commandArgs }, context })
    return await exitCodeOf(result, { command, context })
  } catch (cause) {
    context.stderr.write(errorLine(cause))
    return EXEC_FAILED
  }
}

async function requestLogin(
  args: CallerArguments & Pick<ExecArguments, 'ca'>,
  context: ExecContext,
): Promise<Login> {
  const reply = await requestTokenFor(args, { caPem: args.ca === undefined, context })
  // throws for an unknown engine before anything is written
  clientFamily(reply)
  return prepareLogin(reply, { caFile: args.ca, lookup: context.lookup })
}

async function runWithLogin(
  login: Login,
  { command, context }: { command: Omit<ChildCommand, 'env'>; context: ExecContext },
): Promise<CommandResult> {
  const forwarder = forwardSignals(context.host)
  try {
    return await withLogin(login, { env: context.env, run: env => forwarder.run({ ...command, env }) })
  } finally {
    forwarder.release()
  }
}

async function exitCodeOf(
  result: CommandResult,
  { command, context }: { command: string; context: ExecContext },
): Promise<number> {
  if ('exitCode' in result) return result.exitCode
  const { host, clock, stderr } = context
  if ('startFailure' in result) {
    const { problem, exitCode } = await explainStartFailure(command, result.startFailure)
    stderr.write(`jeton: ${escapeUnprintable(command)} ${problem}\n`)
    return exitCode
  }
  host.kill(host.pid, result.signal)
  await clock.sleep(SIGNAL_WAIT_MS)
  // this process is still here: Node ignores SIGPIPE, for one. Shells return this code for a signal
  return 128 + constants.signals[result.signal]
}
