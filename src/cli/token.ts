import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { resolveConnectAddress } from '../client/connect-address.ts'
import { environmentChanges, shellCommands } from '../client/environment.ts'
import { CallerError, errorLine, failure, invalidUsage } from '../client/errors.ts'
import type { TokenReply } from '../client/token-reply.ts'
import { printableJson } from '../lib/printable.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { type CallerArguments, type CallerContext, requestTokenFor } from './token-options.ts'

const FORMATS = ['token', 'json', 'env'] as const
type Format = (typeof FORMATS)[number]

export interface TokenArguments extends CallerArguments {
  /** `token` (the default), `json` or `env`. */
  output?: string | undefined
  /** Where to write the CA bundle. It is public, so everybody may read the file. */
  caFile?: string | undefined
}

/**
 * `jeton token`: prints a token, the whole reply as JSON, or commands for `eval` in a POSIX shell. Stdout gets all of that
 * or nothing; errors go to stderr. Returns the exit code. With MySQL, `env` cannot make clients check the server, so it does
 * not switch their clear-text plugin on; `jeton exec` does both.
 */
export async function tokenCommand(args: TokenArguments, context: CallerContext): Promise<number> {
  try {
    const format = parseFormat(args.output ?? 'token')
    const caFile = args.caFile === undefined ? undefined : resolve(args.caFile)
    const reply = await requestTokenFor(args, { caPem: caFile !== undefined, context })
    const text = await render(reply, { format, caFile, context })
    if (caFile !== undefined) await writeCaBundle(caFile, reply)
    context.stdout.write(text)
    return 0
  } catch (cause) {
    context.stderr.write(errorLine(cause))
    return cause instanceof CallerError ? cause.exitCode : 1
  }
}

function parseFormat(text: string): Format {
  const format = FORMATS.find(known => known === text)
  if (!format) throw invalidUsage(`-o takes one of ${FORMATS.join(', ')}`)
  return format
}

interface RenderOptions {
  format: Format
  caFile: string | undefined
  context: CallerContext
}

async function render(reply: TokenReply, { format, caFile, context }: RenderOptions): Promise<string> {
  if (format === 'token') return `${reply.token}\n`
  if (format === 'json') return `${printableJson(reply, 2)}\n`
  const connectAddress = await resolveConnectAddress(reply, context.lookup)
  return shellCommands(environmentChanges(reply, { caFile, connectAddress }))
}

async function writeCaBundle(path: string, { ca }: TokenReply): Promise<void> {
  await writeFile(path, ca?.pem ?? '', { mode: 0o644 }).catch(cause => {
    throw failure(`cannot write the CA bundle to ${path}${systemCodeNote(cause)}`, cause)
  })
}
