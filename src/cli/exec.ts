import { constants } from 'node:os'
import { type Child, type Ending, forwardSignals, type SignalHost } from '../client/child-process.ts'
import { familyOf } from '../client/environment.ts'
import { failureLine, usageError } from '../client/errors.ts'
import { type Login, prepareLogin, withLogin } from '../client/login.ts'
import { type CallerArguments, type CallerEnvironment, requestTokenByArguments } from './token-options.ts'

export interface ExecArguments extends CallerArguments {
  /** A CA bundle to verify the database by, instead of the one that the server gives. */
  ca?: string | undefined
  /** The command and its arguments. */
  command: readonly string[]
}

export interface ExecEnvironment extends CallerEnvironment {
  /** Node's `process`. */
  host: SignalHost
}

/**
 * `jeton exec`: runs a command that can log in to the database, and gives its exit code. A command killed by a signal ends
 * this process by the same signal. Gives 125 where jeton itself fails or is refused, 126 where the command cannot be run,
 * 127 where it is not found. The command sees our environment, without JETON_JWT and JETON_API_KEY and with the login. Its
 * token opens new connections until it expires; nothing renews it under a running command. What SIGKILL of this process
 * leaves behind in the temporary folder is no secret.
 */
export async function execCommand(args: ExecArguments, world: ExecEnvironment): Promise<number> {
  try {
    const [command, ...rest] = args.command
    if (command === undefined) throw usageError('no command: jeton exec DATABASE -- COMMAND …')
    const login = await requestLogin(args, world)
    const ending = await runWith(login, { child: { command, args: rest }, world })
    return await exitCodeOf(ending, { command, world })
  } catch (cause) {
    world.stderr.write(failureLine(cause))
    return 125
  }
}

async function requestLogin(args: ExecArguments, world: ExecEnvironment): Promise<Login> {
  const reply = await requestTokenByArguments(args, { caPem: args.ca === undefined, world })
  familyOf(reply)
  return prepareLogin(reply, { caFile: args.ca, lookup: world.lookup })
}

async function runWith(
  login: Login,
  { child, world }: { child: Omit<Child, 'env'>; world: ExecEnvironment },
): Promise<Ending> {
  const signals = forwardSignals(world.host)
  try {
    return await withLogin(login, world.env, env => signals.run({ ...child, env }))
  } finally {
    signals.release()
  }
}

async function exitCodeOf(ending: Ending, { command, world }: { command: string; world: ExecEnvironment }) {
  if ('exitCode' in ending) return ending.exitCode
  if ('cannotRun' in ending) {
    const missing = ending.cannotRun === 'ENOENT'
    world.stderr.write(
      `jeton: ${command} ${missing ? 'is not found' : `cannot be run (${ending.cannotRun})`}\n`,
    )
    return missing ? 127 : 126
  }
  const { host, clock } = world
  host.kill(host.pid, ending.signal)
  await clock.sleepUntil(clock.now() + 1000)
  // Still here: Node ignores SIGPIPE, for one. A shell would say it like this.
  return 128 + constants.signals[ending.signal]
}
