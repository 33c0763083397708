import { parseHealthAddress } from '../../client/daemon/health-address.ts'
import { invalidUsage } from '../../client/errors.ts'
import { parseSecureUrl } from '../../client/http.ts'
import type { Environment } from '../../lib/process-input.ts'
import { parseTime } from '../audit-query-options.ts'
import { FORWARD_FORMATS } from './formats.ts'
import type { ForwardStart } from './forwarded-log.ts'

/** `jeton audit forward`, as written on the command line. */
export interface ForwardArguments {
  file?: string | undefined
  configPath: string
  to?: string | undefined
  format?: string | undefined
  from?: string | undefined
  fromStart?: boolean | undefined
  cursor?: string | undefined
  headerFile?: string | undefined
  batch?: string | undefined
  timeout?: string | undefined
  skip?: readonly string[] | undefined
  once?: boolean | undefined
  health?: string | undefined
}

/** A receiver's URL may have a secret in it: so it may come from here. */
const URL_VARIABLE = 'JETON_FORWARD_URL'
const DEFAULT_BATCH = '500'
const MAX_BATCH = 10_000
const DEFAULT_TIMEOUT = '10'
const MAX_TIMEOUT = 600

/** Returns the checked arguments; `now` is in milliseconds. Throws CallerError or UsageError, which quote no URL. */
export function parseForwardArguments(
  args: ForwardArguments,
  { env, now }: { env: Environment; now: number },
) {
  const { format: name = 'cloudevents', batch = DEFAULT_BATCH, timeout = DEFAULT_TIMEOUT, health } = args
  const to = args.to ?? env[URL_VARIABLE]
  if (!to) throw invalidUsage(`where to? give --to, or set ${URL_VARIABLE}`)
  const format = Object.hasOwn(FORWARD_FORMATS, name) ? FORWARD_FORMATS[name] : undefined
  if (!format) throw invalidUsage(`--format takes one of ${Object.keys(FORWARD_FORMATS).join(', ')}`)
  return {
    url: parseSecureUrl(to, `the receiver's URL (--to or ${URL_VARIABLE})`),
    format,
    formatName: name,
    start: parseStart(args, now),
    maxRecords: parseCount(batch, { option: '--batch', max: MAX_BATCH }),
    timeoutMs: parseCount(timeout, { option: '--timeout', max: MAX_TIMEOUT }) * 1000,
    skippedIds: args.skip ?? [],
    once: args.once === true,
    health: health === undefined ? undefined : parseHealthAddress(health),
  }
}

function parseStart({ from, fromStart }: ForwardArguments, now: number): ForwardStart {
  if (from !== undefined && fromStart)
    throw invalidUsage('--from and --from-start say two things: give one of them')
  if (from !== undefined) return parseTime('--from', { text: from, now })
  return fromStart ? 'beginning' : 'now'
}

function parseCount(text: string, { option, max }: { option: string; max: number }): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > max) throw invalidUsage(`${option} takes a number from 1 to ${max}`)
  return count
}
