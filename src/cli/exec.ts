import { constants } from 'node:os'
import { type CommandResult, forwardSignals } from '../client/child-process.ts'
import { clientFamily } from '../client/client-family.ts'
import { errorLine } from '../client/errors.ts'
import { prepareLogin, withLogin } from '../client/login.ts'
import type { Login } from '../client/login-files.ts'
import { maskInJobLog } from '../client/masks.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { type ExecContext, type ExecRun, type LoginWords, parseProxyPort, parseUrlsAs } from './exec-run.ts'
import { type ExecWords, parseExecWords } from './exec-usage.ts'
import { EXEC_FAILED } from './exit-codes.ts'
import { explainStartFailure } from './start-failure.ts'
import { type CallerArguments, requestTokenFor } from './token-options.ts'

export interface ExecArguments extends Omit<CallerArguments, 'database'>, ExecWords, LoginWords {
  /** A CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
}

/** How long this process waits to be ended by the signal that it sends itself. */
const SIGNAL_WAIT_MS = 1000

/**
 * `jeton exec`: runs a command that can log in to the database and returns its exit code, or 125 if jeton fails or is
 * refused, 126 if the command cannot be run, 127 if it is not found. If a signal ends the command, ends this process by the
 * same signal. The command sees this environment with the login, without the caller's credentials.
 */
export async function execCommand(args: ExecArguments, context: ExecContext): Promise<number> {
  try {
    // first, because an option without its value takes the next word
    const loopbackPort = parseProxyPort(args)
    const { database, command, commandArgs } = parseExecWords(args)
    const run = { urls: parseUrlsAs(args), command: { command, args: commandArgs }, context }
    const isProxied = args.proxy === true || loopbackPort !== undefined
    const result = isProxied
      ? await runThroughProxy({ ...args, database, loopbackPort }, run)
      : await runWithToken({ ...args, database }, run)
    return await exitCodeOf(result, { command, context })
  } catch (cause) {
    context.stderr.write(errorLine(cause))
    return EXEC_FAILED
  }
}

async function runThroughProxy(
  ...parameters: Parameters<typeof import('./exec-proxy.ts').runThroughProxy>
): Promise<CommandResult> {
  const proxied = await import('./exec-proxy.ts')
  return proxied.runThroughProxy(...parameters)
}

/**
 * Runs a command whose environment has the token. It opens new connections until that expires; nothing renews it. A temporary
 * folder that SIGKILL leaves behind contains no secret.
 */
async function runWithToken(
  args: CallerArguments & Pick<ExecArguments, 'ca'>,
  { urls, command, context }: ExecRun,
): Promise<CommandResult> {
  const login = await requestLogin(args, context)
  await maskInJobLog(login.reply.token, context)
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

async function requestLogin(
  args: CallerArguments & Pick<ExecArguments, 'ca'>,
  context: ExecContext,
): Promise<Login> {
  const reply = await requestTokenFor(args, { caPem: args.ca === undefined, context })
  // throws for an unknown engine before anything is written
  clientFamily(reply)
  return prepareLogin(reply, { caFile: args.ca, lookup: context.lookup })
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
