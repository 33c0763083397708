import { constants } from 'node:os'
import {
  type ChildCommand,
  type CommandResult,
  forwardSignals,
  type SignalHost,
} from '../client/child-process.ts'
import { clientFamily } from '../client/client-family.ts'
import { errorLine, invalidUsage } from '../client/errors.ts'
import { prepareLogin, withLogin } from '../client/login.ts'
import type { Login } from '../client/login-files.ts'
import { maskInJobLog } from '../client/masks.ts'
import { parseUrlVariable, type UrlVariable } from '../client/url-variables.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { type ExecWords, parseExecWords } from './exec-usage.ts'
import { EXEC_FAILED } from './exit-codes.ts'
import { explainStartFailure } from './start-failure.ts'
import { type CallerArguments, type CallerContext, requestTokenFor } from './token-options.ts'

export interface ExecArguments extends Omit<CallerArguments, 'database'>, ExecWords {
  /** A CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
  /** Variables to set to a URL of the login, beside DATABASE_URL: each `NAME` or `NAME:FORM`. */
  urlAs?: readonly string[] | undefined
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
    const urls = (args.urlAs ?? []).map(parseUrlAs)
    const login = await requestLogin({ ...args, database }, context)
    await maskInJobLog(login.reply.token, context)
    const result = await runWithLogin(login, { urls, command: { command, args: commandArgs }, context })
    return await exitCodeOf(result, { command, context })
  } catch (cause) {
    context.stderr.write(errorLine(cause))
    return EXEC_FAILED
  }
}

function parseUrlAs(text: string): UrlVariable {
  const variable = parseUrlVariable(text)
  if (variable) return variable
  throw invalidUsage(
    '--url-as takes the name of a variable, with :jdbc after it for a JDBC URL, as in --url-as SPRING_DATASOURCE_URL:jdbc',
  )
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
  {
    urls,
    command,
    context,
  }: { urls: readonly UrlVariable[]; command: Omit<ChildCommand, 'env'>; context: ExecContext },
): Promise<CommandResult> {
  const forwarder = forwardSignals(context.host)
  try {
    return await withLogin(login, {
      env: context.env,
      urls,
      run: env => forwarder.run({ ...command, env }),
    })
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
