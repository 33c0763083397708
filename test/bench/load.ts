import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { ensureInstalled } from '../support/databases/install.ts'

const SCRIPT = fileURLToPath(new URL('./load.lua', import.meta.url))

export interface Load {
  readonly url: string
  /** POST unless given. */
  readonly method?: 'GET' | 'POST'
  /** Of a list, each request has the next. `{address}` becomes an IPv4 address, another one after every fifty requests. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** The status that every reply must have, 200 unless given, and a text that it must contain. */
  readonly status?: number
  readonly expected: string
  /** The length in bytes that every reply must have; any unless given. */
  readonly bytes?: number
  /** 64 unless given. */
  readonly connections?: number
}

export interface LoadResult {
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Loads a server with `wrk` for some seconds, started with the words of `prefix`. Throws if a single reply is not as expected.
 * Connections send their next request when they have the reply, so that latency grows with the number of connections.
 */
export async function loadWithWrk(
  { url, method = 'POST', headers = {}, body = '', status = 200, expected, bytes, connections = 64 }: Load,
  { seconds, prefix = [] }: { seconds: number; prefix?: readonly string[] },
): Promise<LoadResult> {
  const [program = '', ...args] = [
    ...prefix,
    await findProgram('wrk'),
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', SCRIPT, url, '--'],
    ...[method, body, String(status), expected, String(bytes ?? '')],
    ...Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap(value => [name, value])),
  ]
  const { stdout } = await promisify(execFile)(program, args)
  const result = /RESULT (\{.*\})/.exec(stdout)?.[1]
  if (result === undefined) throw new Error(`wrk printed no result: ${stdout}`)
  const { wrong, broken, ...loaded } = JSON.parse(result) as LoadResult & { wrong: number; broken: number }
  if (wrong + broken > 0 || loaded.requests === 0)
    throw new Error(`${wrong} replies were wrong and ${broken} broken, of ${loaded.requests}`)
  return loaded
}

/** Installs `wrk` if it is missing and can be installed; throws if it cannot. */
export async function ensureWrk(): Promise<void> {
  const [missing] = await ensureInstalled(['wrk'])
  if (missing) throw new Error(`this needs wrk: ${missing.reason}`)
}
