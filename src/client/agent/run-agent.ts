import type { AgentFiles } from './agent-files.ts'
import type { ChangeNotice } from './change-notice.ts'
import type { LoginStates } from './login-states.ts'
import type { Sleeper } from './sleeper.ts'

export interface RunAgentParts {
  logins: LoginStates
  files: AgentFiles
  notice: ChangeNotice
  /** Woken when somebody asks to look at everything at once. */
  sleeper: Sleeper
  /** Ends the agent. */
  signal: AbortSignal
}

/** A machine that slept, a clock that was set and a file that was removed are noticed within this time. */
const CHECK_MS = 10_000
/** However soon a token is due. */
const MIN_PAUSE_MS = 250

/**
 * Keeps the files of an agent fresh until the signal aborts; what is being written then is written to its end. Rejects for no
 * failure of the server, a file or a program: a file keeps its text as long, and all is tried again.
 */
export async function runAgent({ logins, files, notice, sleeper, signal }: RunAgentParts): Promise<void> {
  while (!signal.aborted) {
    const isAsked = await sleeper.sleep(Math.min(CHECK_MS, Math.max(MIN_PAUSE_MS, logins.nextMs())))
    if (signal.aborted) return
    await logins.renew({ isAsked })
    if (await files.write()) notice.announce()
  }
}
