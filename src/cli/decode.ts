import { type DecodedToken, decodeToken } from '../client/decode/decode-token.ts'
import { failure, invalidUsage } from '../client/errors.ts'
import type { Clock } from '../lib/clock.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import { countText, printableJson } from '../lib/printable.ts'
import { readTextUpTo } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { parseEndpoint } from '../rds/endpoint.ts'
import { catchCallerErrors, parseTextOrJson } from './caller-command.ts'
import { type FactRow, factLines } from './fact-lines.ts'
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
    const decoded = decodeToken(token, { now, user: args.user, host, port })
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
  const lines = factLines(factRows(decoded, now), { problems, style })
  if (problems.length === 0) lines.push('', `${style.mark(true)}${NOTHING_WRONG}`)
  return `${lines.join('\n')}\n`
}

/** The signature cannot be checked without the secret that made it. */
const NOTHING_WRONG =
  'nothing is wrong that the text shows; whether the signature is right and the role may connect, only the database finds out: jeton doctor'

function factRows(decoded: DecodedToken, now: number): FactRow[] {
  const { host, port, user, region, accessKeyId, signedAt, expiresAt, bytes, fingerprint } = decoded
  const rows: [string, string | undefined][] = [
    ['endpoint', host && endpointText(host, port)],
    ['user', user],
    ['region', region],
    ['access key', accessKeyId && `${accessKeyId}${keyNote(accessKeyId)}`],
    [
      'signed at',
      signedAt === undefined ? undefined : `${isoSeconds(signedAt)} (${agoText(now - signedAt)})`,
    ],
    [
      'expires at',
      expiresAt === undefined ? undefined : `${isoSeconds(expiresAt)} (${agoText(now - expiresAt)})`,
    ],
    ['size', countText(bytes, 'byte')],
    ['fingerprint', fingerprint],
  ]
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text] as const]))
}

const KINDS = {
  instance: 'an instance, or one of Aurora',
  cluster: 'an Aurora cluster',
  proxy: 'an RDS proxy',
  shardGroup: 'an Aurora shard group',
}

function endpointText(host: string, port: number | undefined): string {
  const endpoint = parseEndpoint(host)
  return `${host}${port === undefined ? '' : `:${port}`}${endpoint.ok ? ` (${KINDS[endpoint.kind]})` : ''}`
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
function keyNote(accessKeyId: string): string {
  if (accessKeyId.startsWith('ASIA')) return ' (of a role session, or other temporary credentials)'
  return accessKeyId.startsWith('AKIA') ? ' (of an IAM user: it does not expire)' : ''
}

function agoText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const text =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7200
        ? `${Math.floor(seconds / 60)} min`
        : seconds < 172_800
          ? `${Math.floor(seconds / 3600)} h`
          : countText(Math.floor(seconds / 86_400), 'day')
  return ms < 0 ? `in ${text}` : `${text} ago`
}
