import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { dialOf } from '../client/dial.ts'
import { variablesFor } from '../client/environment.ts'
import { CallerError, failed, failureLine, systemCode, usageError } from '../client/errors.ts'
import { shellLines } from '../client/shell.ts'
import type { TokenReply } from '../client/token-reply.ts'
import { type CallerArguments, type CallerEnvironment, requestTokenByArguments } from './token-options.ts'

const OUTPUTS = ['token', 'json', 'env'] as const
type Output = (typeof OUTPUTS)[number]

export interface TokenArguments extends CallerArguments {
  /** `token` (the default), `json` or `env`. */
  output?: string | undefined
  /** Where to write the CA bundle; readable by all, it is public. */
  caFile?: string | undefined
}

/**
 * `jeton token`: prints a token, the whole reply as JSON, or lines for `eval` in a POSIX shell. Gives the exit code, having
 * told failures on stderr; stdout gets all or nothing. `env` for MySQL does not make its clients check the server and so
 * does not switch their clear-text plugin on: `jeton exec` does both.
 */
export async function tokenCommand(args: TokenArguments, world: CallerEnvironment): Promise<number> {
  try {
    const output = outputOf(args.output ?? 'token')
    const caFile = args.caFile === undefined ? undefined : resolve(args.caFile)
    const reply = await requestTokenByArguments(args, { caPem: caFile !== undefined, world })
    const text = await rendered(reply, { output, caFile, world })
    if (caFile !== undefined) await writeCa(caFile, reply)
    world.stdout.write(text)
    return 0
  } catch (cause) {
    world.stderr.write(failureLine(cause))
    return cause instanceof CallerError ? cause.exitCode : 1
  }
}

function outputOf(text: string): Output {
  const output = OUTPUTS.find(known => known === text)
  if (!output) throw usageError(`-o takes one of ${OUTPUTS.join(', ')}`)
  return output
}

interface Rendering {
  output: Output
  caFile: string | undefined
  world: CallerEnvironment
}

async function rendered(reply: TokenReply, { output, caFile, world }: Rendering): Promise<string> {
  if (output === 'token') return `${reply.token}\n`
  if (output === 'json') return `${JSON.stringify(reply, null, 2)}\n`
  return shellLines(variablesFor(reply, { caFile, dial: await dialOf(reply, world.lookup) }))
}

async function writeCa(path: string, { ca }: TokenReply): Promise<void> {
  await writeFile(path, ca?.pem ?? '', { mode: 0o644 }).catch(cause => {
    throw failed(`cannot write the CA bundle to ${path}${systemCode(cause)}`, cause)
  })
}
