import { type DecodedToken, decodeToken } from '../client/decode/decode-token.ts'
import { NOTHING_WRONG, tokenFactRows } from '../client/decode/token-words.ts'
import { failure, invalidUsage } from '../client/errors.ts'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import { printableJson } from '../lib/printable.ts'
import { readTextUpTo } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { catchCallerErrors, parseTextOrJson } from './caller-command.ts'
import { factLines } from './fact-lines.ts'
import type { CommandStreams } from './streams.ts'
import { type TerminalStyle, terminalStyle } from './terminal-style.ts'

export interface DecodeArguments {
  /** The token, or `-` for stdin, which is the default. */
  token?: string | undefined
  user?: string | undefined
  /** `HOST` or `HOST:PORT`. */
  host?: string | undefined
  /** `text` (the default) or `json`. */
  output?: string | undefined
}

export interface DecodeContext extends CommandStreams {
  readonly clock: Pick<Clock, 'now'>
}

/** Longer than a token that was percent-encoded several times. */
const MAX_BYTES = 64 * 1024

/**
 * `jeton decode`: prints what a token says, and what is wrong with it; never its signature or its session token. Returns the
 * exit code: 0 if nothing is wrong, 1 if something is, 2 for a usage error. Needs no server, and sends nothing anywhere.
 */
export function decodeCommand(args: DecodeArguments, context: DecodeContext): Promise<number> {
  return catchCallerErrors(context.stderr, async () => {
    const print = parseTextOrJson(args.output) === 'json' ? renderJson : renderText
    const [host, port] = parseHost(args.host)
    const token = await readToken(args.token ?? '-', context)
    const now = context.clock.now()
    const decoded = decodeToken(token, { now, sha256: sha256Hex, user: args.user, host, port })
    context.stdout.write(print(decoded, { now, style: terminalStyle(context.stdout) }))
    return decoded.problems.length > 0 ? 1 : 0
  })
}

function parseHost(text: string | undefined): [host?: string, port?: number] {
  if (text === undefined) return []
  const [, host, port] = /^([^:/\s]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === undefined) throw invalidUsage('--host takes HOST or HOST:PORT')
  return port === undefined ? [host] : [host, Number(port)]
}

async function readToken(token: string, { stdin, stderr }: DecodeContext): Promise<string> {
  if (token !== '-') return token
  if (stdin.isTTY) stderr.write('paste the token, then press Enter and Ctrl-D\n')
  const text = await readTextUpTo(stdin, MAX_BYTES).catch(cause => {
    throw failure(`cannot read standard input${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) throw failure(`standard input is longer than any token (${MAX_BYTES} bytes)`)
  return text
}

function renderJson(decoded: DecodedToken, { now }: { now: number }): string {
  const { signedAt, expiresAt, ...facts } = decoded
  const times = {
    ...(signedAt !== undefined && { signedAt: isoSeconds(signedAt) }),
    ...(expiresAt !== undefined && {
      expiresAt: isoSeconds(expiresAt),
      expiresIn: Math.floor((expiresAt - now) / 1000),
    }),
  }
  return `${printableJson({ ...facts, ...times }, 2)}\n`
}

function renderText(decoded: DecodedToken, { now, style }: { now: number; style: TerminalStyle }): string {
  const problems = decoded.problems.map(({ message }) => message)
  const lines = factLines(tokenFactRows(decoded, now), { problems, style })
  if (problems.length === 0) lines.push('', `${style.mark(true)}${NOTHING_WRONG}`)
  return `${lines.join('\n')}\n`
}
