import type { Clock } from '../../lib/clock.ts'
import { createLogThrottle } from '../../lib/log-throttle.ts'
import type { Log } from '../../telemetry/log.ts'
import { type EditFileParts, editFile } from './edit-file.ts'
import { type Answer, findAnswer, type KeptToken } from './kept-token.ts'
import { bundleFor, fittingLogins, type PlannedFile } from './planned-files.ts'
import { editOf, type ReadyLogin } from './render-file.ts'
import type { WantedLogin } from './wanted-login.ts'
import { explainWriteFailure } from './write-failure.ts'

/** What is known of one file. */
export interface FileState {
  readonly path: string
  /** Why it is not as it should be, in a sentence. */
  problem: string | undefined
  failures: number
  /** When its text last changed by this agent, in milliseconds since the epoch. */
  changedAt: number | undefined
}

export interface AgentFilesParts {
  planned: readonly PlannedFile[]
  tokens: readonly KeptToken[]
  edit: EditFileParts
  clock: Pick<Clock, 'now'>
  log: Log
}

/** All files of an agent. */
export interface AgentFiles {
  /** Writes what is new, and anew what somebody removed; returns whether a file has changed. Never rejects. */
  write(): Promise<boolean>
  states(): readonly FileState[]
}

/** Returns the files with the logins whose tokens are there. */
export function createAgentFiles({ planned, tokens, edit, clock, log }: AgentFilesParts): AgentFiles {
  const answerOf = (login: WantedLogin) => findAnswer(tokens, login)
  const files = planned.map(file => ({
    file,
    state: newState(file.path),
    throttle: createLogThrottle(),
    /** What was put into it, by key. */
    put: new Map<string, Answer>(),
  }))

  async function writeOne({ file, state, throttle, put }: (typeof files)[number]): Promise<boolean> {
    const logins = fittingLogins(file, login => answerOf(login)?.reply).flatMap(readyLogin)
    // several logins in one JSON are there together, or not at all
    if (logins.length === 0 || (file.kind === 'json' && logins.length < file.logins.length)) return false
    const isCheck = logins.every(({ wanted, answer }) => put.get(wanted.key) === answer)
    try {
      const caFileOf = (login: WantedLogin) => bundleFor(planned, { file, login })?.path ?? ''
      const content = { kind: file.kind, logins, plannedLogins: file.logins.length, caFileOf, isCheck }
      const hasChanged = await editFile(file.path, editOf(content), edit)
      for (const { wanted, answer } of logins) put.set(wanted.key, answer)
      state.problem = undefined
      throttle.reset()
      if (hasChanged) noteChange(state)
      return hasChanged
    } catch (cause) {
      state.problem = explainWriteFailure(file.path, cause)
      state.failures++
      if (throttle.admit(clock.now()))
        log.error({ event: 'agent_write_failed', file: file.path }, state.problem)
      return false
    }
  }

  function readyLogin(wanted: WantedLogin): ReadyLogin[] {
    const answer = answerOf(wanted)
    return answer ? [{ wanted, answer }] : []
  }

  function noteChange(state: FileState): void {
    state.changedAt = clock.now()
    log.info({ event: 'agent_file_written', file: state.path }, `${state.path} is written`)
  }

  return {
    async write() {
      let hasChanged = false
      // one after the other: who reads a file finds the CA bundle that it refers to
      for (const each of files) if (await writeOne(each)) hasChanged = true
      return hasChanged
    },
    states: () => files.map(({ state }) => state),
  }
}

function newState(path: string): FileState {
  return { path, problem: undefined, failures: 0, changedAt: undefined }
}
