import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { startPostgres } from '../support/databases/postgres.ts'
import { RDS_HOST, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'
import { CLI } from '../support/service/jeton.ts'
import { startProgram } from '../support/service/started-program.ts'
import { startIdleServer } from './idle-server.ts'
import { median, reportCheck, say } from './report.ts'

const PAIRS = 9
const COPY = 'copy (select repeat(md5(i::text), 8) from generate_series(1, 800000) i) to stdout'
const QUERIES = 3000
const IDLE = 1000
const MIN_THROUGHPUT = 0.85
/** No check: on loopback a query takes so little that one more process on the way, with its wake-ups, may double that. */
const LATENCY_GOAL = 1.4

type Variables = Readonly<Record<string, string>>

/**
 * Measures a session of `jeton proxy` over a direct connection within verified TLS right before it, to one PostgreSQL: a bulk COPY
 * by psql, and `select 1` by pgbench. Then the memory of the proxy with 1,000 clients that are logged in and idle.
 */
export async function proxy(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  const authority = createAuthority()
  const database = await startPostgres({
    authority,
    hosts: [RDS_HOST],
    users: ['app_ro'],
    check: async () => ({ ok: true, identity: 'the bench' }),
  })
  const api = await startApiStub()
  const reply = sampleReply({ dbname: database.database, ca: { pem: authority.caPem } })
  try {
    await writeFile(join(folder, 'ca.pem'), authority.caPem)
    await writeFile(join(folder, 'select.sql'), 'select 1;\n')
    api.answers = [{ body: { ...reply, connect: `127.0.0.1:${database.port}` } }]
    const direct = {
      PGHOST: RDS_HOST,
      PGHOSTADDR: '127.0.0.1',
      PGPORT: String(database.port),
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: join(folder, 'ca.pem'),
      PGUSER: 'app_ro',
      PGDATABASE: database.database,
      PGPASSWORD: reply.token,
    }
    const running = await startProxy(folder, api.url)
    const local = { PGHOST: folder, PGPORT: '5432', PGDATABASE: database.database }
    say(`sessions of jeton proxy beside direct ones, medians of ${PAIRS} pairs`)
    const bulk = await measure(vars => secondsOfCopy(vars), { direct, local })
    report(`a bulk COPY has at least ${MIN_THROUGHPUT} × the throughput`, {
      isKept: 1 / bulk >= MIN_THROUGHPUT,
      ratio: 1 / bulk,
    })
    const latency = await measure(vars => latencyOfQuery(vars, folder), { direct, local })
    const verdict = latency <= LATENCY_GOAL ? 'within' : 'beyond'
    say(`        a query takes ${latency.toFixed(2)} × the time, ${verdict} the goal of ${LATENCY_GOAL}`)
    await running.end()
    await measureIdle({ folder, authority, api, reply })
  } finally {
    await Promise.all([database.close(), api.close()])
    await rm(folder, { recursive: true })
  }
}

/** Returns the median of the ratios of pairs, each in another order than the last. */
async function measure(
  secondsOf: (variables: Variables) => Promise<number>,
  { direct, local }: { direct: Variables; local: Variables },
): Promise<number> {
  const ratios: number[] = []
  for (let pair = -1; pair < PAIRS; pair++) {
    const order = pair % 2 ? [direct, local] : [local, direct]
    const seconds = new Map<Variables, number>()
    for (const variables of order) seconds.set(variables, await secondsOf(variables))
    // the first pair warms up
    if (pair >= 0) ratios.push((seconds.get(local) ?? 0) / (seconds.get(direct) ?? 1))
  }
  return median(ratios)
}

async function secondsOfCopy(variables: Variables): Promise<number> {
  const args = ['-XAtq', '-c', '\\timing on', '-c', `\\o /dev/null`, '-c', COPY]
  const { stdout } = await promisify(execFile)(await findProgram('psql'), args, { env: withPath(variables) })
  return Number(/Time: ([\d.]+) ms/.exec(stdout)?.[1]) / 1000
}

async function latencyOfQuery(variables: Variables, folder: string): Promise<number> {
  const args = ['-n', '-c1', '-t', String(QUERIES), '-f', join(folder, 'select.sql')]
  const { stdout } = await promisify(execFile)(await findProgram('pgbench'), args, {
    env: withPath(variables),
  })
  return Number(/latency average = ([\d.]+) ms/.exec(stdout)?.[1]) / 1000
}

interface IdleParts {
  folder: string
  authority: ReturnType<typeof createAuthority>
  api: Awaited<ReturnType<typeof startApiStub>>
  reply: ReturnType<typeof sampleReply>
}

async function measureIdle({ folder, authority, api, reply }: IdleParts): Promise<void> {
  const server = await startIdleServer(authority.issue([RDS_HOST]))
  api.answers = [{ body: { ...reply, connect: `127.0.0.1:${server.port}` } }]
  const running = await startProxy(folder, api.url)
  const clients: Socket[] = []
  try {
    const path = join(folder, '.s.PGSQL.5432')
    // what is allocated once is not of a connection
    for (let count = 0; count < 50; count++) clients.push(await logIn(path))
    const before = await residentKib(running.pid)
    for (let count = 0; count < IDLE; count++) clients.push(await logIn(path))
    const after = await residentKib(running.pid)
    say(`        ${IDLE} idle sessions: ${((after - before) / IDLE).toFixed(0)} KiB each`)
  } finally {
    for (const client of clients) client.destroy()
    await running.end()
    await server.close()
  }
}

/** Resolves when a client is logged in. */
async function logIn(path: string): Promise<Socket> {
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0a\0\0')
  startup.writeInt32BE(startup.length)
  const client = connect(path)
  client.write(startup)
  await once(client, 'data')
  return client
}

async function residentKib(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
}

async function startProxy(folder: string, url: string) {
  const args = [CLI, 'proxy', 'orders', '--socket-dir', folder, '--drain', '0', '--max-connections', '2000']
  const program = startProgram([process.execPath, ...args], {
    env: { JETON_URL: url, JETON_JWT: someJwt() },
    lastSignal: 'TERM',
  })
  await program.until(() => program.stdout[0])
  return { pid: program.process.pid ?? 0, end: program.stop }
}

function withPath(variables: Variables) {
  return { PATH: process.env.PATH ?? '', ...variables }
}

function report(what: string, { isKept, ratio }: { isKept: boolean; ratio: number }): void {
  reportCheck(what, { isKept, figure: ratio.toFixed(2) })
}
