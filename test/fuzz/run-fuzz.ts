import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findBugs } from '../soak/server-logs.ts'
import { type Connection, openConnection } from '../support/raw-http/connection.ts'
import type { RawReply } from '../support/raw-http/raw-reply.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { startTestEnvironment } from '../support/service/test-environment.ts'
import { faultsOf } from './check-reply.ts'
import { createChoice } from './choice.ts'
import { createCredentials, FUZZ_ISSUER } from './credentials.ts'
import { readDescription } from './description.ts'
import { createRequest, type FuzzRequest } from './requests.ts'

export interface FuzzOptions {
  /** Together with a request's number, it decides what the request is. */
  seed: string
  /** The number of the first request; 0 unless given. */
  from?: number
  count: number
}

export interface FuzzResult {
  /** What was wrong, with the number of the first request that showed it and how often it came. */
  readonly faults: ReadonlyMap<string, { readonly first: number; readonly times: number }>
  /** Replies by status, and `none` for connections that were closed without one. */
  readonly statuses: ReadonlyMap<string, number>
  /** The server's memory at its start, and after all requests. */
  readonly startMib: number
  readonly endMib: number
}

const CONNECTIONS = 8
const GRANTS = ['jwt', 'apiKey'].map(kind => ({
  name: kind,
  principal: kind === 'jwt' ? { issuer: 'fuzz', subject: 'fuzz' } : { issuer: 'apiKey', subject: 'fuzz' },
  database: 'orders',
  users: ['app_ro', 'app_rw'],
}))
/** Names of the configuration, and some that are not granted. */
const WORDS = { database: ['orders', 'orders', 'ledger', 'none'], user: ['app_ro', 'app_rw', 'migrator'] }

/** Sends requests to a real server over bare sockets, and checks every reply against its /openapi.json. */
export async function runFuzz({ seed, from = 0, count }: FuzzOptions): Promise<FuzzResult> {
  const environment = await startTestEnvironment()
  const credentials = createCredentials(Date.now())
  await writeFile(join(environment.folder, 'fuzz-jwks.json'), JSON.stringify(credentials.jwks))
  const server = await startJeton({
    config: environment.config({
      server: { behindProxy: 1 },
      issuers: { fuzz: { issuer: FUZZ_ISSUER, audience: 'jeton', jwksFile: 'fuzz-jwks.json' } },
      apiKeys: { fuzz: { sha256: credentials.apiKeySha256 } },
      grants: GRANTS,
    }),
    env: environment.serverEnv,
    folder: environment.folder,
  })
  const faults = new Map<string, { first: number; times: number }>()
  const statuses = new Map<string, number>()
  const note = (fault: string, first: number) => {
    const known = faults.get(fault)
    faults.set(fault, { first: known?.first ?? first, times: (known?.times ?? 0) + 1 })
  }

  try {
    const description = readDescription(await (await fetch(`${server.url}/openapi.json`)).json())
    const port = Number(new URL(server.url).port)
    const startMib = await residentMib(server)
    let next = from

    async function sendOne(number: number, kept: Connection | undefined): Promise<Connection | undefined> {
      const choice = createChoice(`${seed} ${number}`)
      const request = createRequest({ choice, description, credentials, words: WORDS })
      if (!request.isWellFramed) kept?.close()
      const connection = kept?.isOpen && request.isWellFramed ? kept : await openConnection(port)
      const replies = await send(request, connection)
      for (const reply of replies)
        for (const fault of faultsOf(request, reply, { description, secrets: credentials.secrets }))
          note(fault, number)
      if (replies.length === 0 && request.isWellFramed)
        note('the connection was closed without a reply', number)
      for (const status of replies.length > 0 ? replies.map(reply => String(reply.status)) : ['none'])
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (request.isWellFramed && !replies.some(({ isLast }) => isLast)) return connection
      connection.close()
      return undefined
    }

    async function work(): Promise<void> {
      let connection: Connection | undefined
      for (let number = next++; number < from + count; number = next++)
        connection = await sendOne(number, connection).catch(
          (cause: Error) => void note(cause.message, number),
        )
      connection?.close()
    }

    await Promise.all(Array.from({ length: CONNECTIONS }, work))
    if (server.process.exitCode !== null) note(`the server ended: ${server.stderr.at(-1)}`, count)
    for (const line of findBugs(server.stderr))
      note(`the server logged ${withoutIds(line).slice(0, 400)}`, count)
    return { faults, statuses, startMib, endMib: await residentMib(server) }
  } finally {
    await server.close()
    await environment.close()
  }
}

async function send(request: FuzzRequest, connection: Connection): Promise<RawReply[]> {
  if (!request.isWellFramed) {
    const isHead = request.bytes.toString('latin1', 0, 9).trim().startsWith('HEAD')
    return connection.exchangeLast(request.bytes, { isHead })
  }
  const reply = await connection.exchange(request.bytes, { isHead: request.method === 'HEAD' })
  return reply ? [reply] : []
}

/** Makes lines that say the same equal. */
const withoutIds = (line: string) => line.replace(/"(time|requestId)":"[^"]*",?/g, '')

/** Needs Linux. */
async function residentMib(server: Jeton): Promise<number> {
  const status = await readFile(`/proc/${server.process.pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024
}
