import { resolve } from 'node:path'
import { type Lookup, resolveConnectAddress } from '../client/connect-address.ts'
import { readablePath } from '../client/login.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Clock } from '../lib/clock.ts'
import type { Environment } from '../lib/process-input.ts'
import { quoteForShell } from '../lib/shell-words.ts'
import { type ActionInputs, isPem, readInputs } from './inputs.ts'
import { logInSteps } from './log-in.ts'
import { makePrivateFolder, type PutPrivately, putInto, removePrivateFolder } from './private-folder.ts'
import { requestForJob } from './request.ts'
import { createRunner, type Runner, type RunnerParts } from './runner.ts'

/** The word after which the action's file is the command `jeton`. */
export const AS_COMMAND = 'jeton'

export interface ActionParts extends RunnerParts {
  lookup: Lookup
  clock: Clock
  /** How this program is run. */
  program: { node: string; file: string }
}

/**
 * Runs the action: at its step, and again as its `post` when the job ends, which removes what it wrote. Prints why it fails.
 * Returns the exit code.
 */
export async function runAction(parts: ActionParts): Promise<number> {
  const { env } = parts
  const runner = createRunner(parts)
  try {
    if (env.STATE_isPost === 'true') await runPost(env, runner)
    else await runMain(parts, runner)
    return 0
  } catch (cause) {
    runner.fail(cause)
    return 1
  }
}

async function runPost(env: Environment, runner: Runner): Promise<void> {
  if (!env.STATE_folder) return
  await removePrivateFolder(env.STATE_folder, env)
  runner.log('removed the files of the login')
}

async function runMain({ env, lookup, clock, program }: ActionParts, runner: Runner): Promise<void> {
  await runner.saveState({ isPost: 'true' })
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
  const login = {
    reply,
    connectAddress: await resolveConnectAddress(reply, lookup),
    caFile: inputs.ca === undefined ? undefined : await readablePath(inputs.ca),
  }
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
    ...(audience !== undefined && { JETON_AUDIENCE: audience }),
    ...(serverCaFile !== undefined && { JETON_CACERT: serverCaFile }),
  })
}
