import { resolve } from 'node:path'
import type { Lookup } from '../client/connect-address.ts'
import { prepareLogin } from '../client/login.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Clock } from '../lib/clock.ts'
import { quoteForShell } from '../lib/shell-words.ts'
import { type ActionInputs, isPem, readInputs } from './inputs.ts'
import { logInSteps } from './log-in.ts'
import { makePrivateFolder, type PutPrivately, putInto, removePrivateFolder } from './private-folder.ts'
import { requestForJob } from './request.ts'
import { createRunner, type Runner, type RunnerParts } from './runner.ts'

/** The words after which the action's file is the command `jeton`, and the action's `post`. */
export const AS_COMMAND = 'jeton'
export const AS_POST = 'post'

export interface ActionParts extends RunnerParts {
  lookup: Lookup
  clock: Clock
  /** How this program is run. */
  program: { node: string; file: string }
}

/** Runs the action at its step. Prints why it fails. Returns the exit code. */
export function runAction(parts: ActionParts): Promise<number> {
  return report(parts, runner => runMain(parts, runner))
}

/**
 * Runs `post` of the action when the job ends, which removes what the step wrote: nothing, if it was cancelled before that.
 * Prints why it fails. Returns the exit code.
 */
export function runPost(parts: RunnerParts): Promise<number> {
  return report(parts, async runner => {
    const { STATE_folder: folder } = parts.env
    if (!folder) return
    await removePrivateFolder(folder, parts.env)
    runner.log('removed the files of the login')
  })
}

async function report(parts: RunnerParts, work: (runner: Runner) => Promise<void>): Promise<number> {
  const runner = createRunner(parts)
  try {
    await work(runner)
    return 0
  } catch (cause) {
    runner.fail(cause)
    return 1
  }
}

async function runMain({ env, lookup, clock, program }: ActionParts, runner: Runner): Promise<void> {
  const inputs = readInputs(env)
  const folder = await makePrivateFolder(env)
  await runner.saveState({ folder })
  const put = putInto(folder)
  const serverCaFile = await putServerCa(inputs, put)
  await provideCommand({ inputs, serverCaFile, program }, { runner, put })
  const { database } = inputs
  if (database === undefined)
    return runner.log('put the command jeton into PATH; no token was requested: no input database')

  const { reply, identity } = await requestForJob(
    { ...inputs, database, serverCaFile },
    { env, runner, clock },
  )
  runner.maskToken(reply.token)
  const login = await prepareLogin(reply, { caFile: inputs.ca, lookup })
  await logInSteps(login, inputs, { runner, put, env })
  runner.log(summaryOf(reply, identity))
}

function summaryOf(reply: TokenReply, identity: string): string {
  const { user, database, host, expiresAt, fingerprint, auditId } = reply
  return [
    `${user} may log in to ${database} (${host})${expiresAt === undefined ? '' : ` until ${expiresAt}`}`,
    `known by ${identity}`,
    ...(fingerprint === undefined ? [] : [`fingerprint ${fingerprint}`]),
    ...(auditId === undefined ? [] : [`audit id ${auditId}`]),
  ].join('; ')
}

async function putServerCa({ serverCa }: ActionInputs, put: PutPrivately): Promise<string | undefined> {
  if (serverCa === undefined) return undefined
  return isPem(serverCa) ? put({ name: 'server-ca.pem', text: `${serverCa}\n` }) : resolve(serverCa)
}

interface Command extends Pick<ActionParts, 'program'> {
  inputs: ActionInputs
  serverCaFile: string | undefined
}

/** Lets the steps that follow run `jeton` with the same server and the same audience. */
async function provideCommand(
  { inputs: { url, audience }, serverCaFile, program: { node, file } }: Command,
  { runner, put }: { runner: Runner; put: PutPrivately },
): Promise<void> {
  const words = [node, file, AS_COMMAND].map(quoteForShell).join(' ')
  const path = await put({ name: 'bin/jeton', text: `#!/bin/sh\nexec ${words} "$@"\n`, isProgram: true })
  await runner.addPath(resolve(path, '..'))
  await runner.exportVariables({
    JETON_URL: url,
    JETON_AUDIENCE: audience,
    ...(serverCaFile !== undefined && { JETON_CACERT: serverCaFile }),
  })
}
