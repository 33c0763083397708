import { constants } from 'node:os'
import type { FileKindName } from '../client/agent/file-kinds.ts'
import { type PlannedFile, planFiles, refuseTilde } from '../client/agent/planned-files.ts'
import type { SignalProgramOptions } from '../client/agent/signal-program.ts'
import { parseWantedLogins, type WantedLogin } from '../client/agent/wanted-login.ts'
import { type HealthAddress, parseHealthAddress } from '../client/daemon/health-address.ts'
import { invalidUsage } from '../client/errors.ts'
import type { ServerArguments } from './token-options.ts'

/** What stands on the command line of `jeton agent`. */
export interface AgentArguments extends ServerArguments, Partial<Record<FileKindName, string | undefined>> {
  /** Each `DATABASE` or `DATABASE:USER`. */
  databases: readonly string[]
  user?: string | undefined
  /** A command line of the shell. */
  onChange?: string | undefined
  /** The name of a signal. */
  signal?: string | undefined
  pidFile?: string | undefined
  health?: string | undefined
  once?: boolean | undefined
}

/** The same, checked. */
export interface AgentPlan {
  logins: readonly WantedLogin[]
  files: readonly PlannedFile[]
  onChange: string | undefined
  program: SignalProgramOptions | undefined
  health: HealthAddress | undefined
}

/** Throws CallerError (exit code 2) for what cannot be meant. */
export function parseAgentArguments(args: AgentArguments): AgentPlan {
  const logins = parseWantedLogins(args.databases, args.user)
  const { onChange, once = false } = args
  if (onChange?.trim() === '') throw invalidUsage('--on-change names no command')
  if (once && args.health !== undefined)
    throw invalidUsage('--health is for an agent that goes on: with --once the exit code tells')
  if (!once && args.jwt === '-')
    throw invalidUsage('--jwt - is read once, and a JWT ends: give an agent a file, or --once')
  return {
    logins,
    files: planFiles(args, logins),
    onChange,
    program: parseProgram(args),
    health: args.health === undefined ? undefined : parseHealthAddress(args.health),
  }
}

function parseProgram({ signal, pidFile }: AgentArguments): SignalProgramOptions | undefined {
  if (signal === undefined && pidFile === undefined) return undefined
  if (signal === undefined || !pidFile)
    throw invalidUsage('--signal and --pid-file go together: which signal, and whose')
  refuseTilde(pidFile)
  const name = signal.toUpperCase().replace(/^(?:SIG)?/, 'SIG')
  if (!isSignal(name) || name === 'SIGKILL' || name === 'SIGSTOP')
    throw invalidUsage('--signal takes the name of a signal that a program can handle, such as HUP or USR1')
  return { signal: name, pidFile }
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name)
}
