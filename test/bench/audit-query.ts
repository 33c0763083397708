import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import { append, GENESIS } from '../../src/audit/file/hash-chain.ts'
import { renderRecord } from '../../src/audit/record.ts'
import { reportCheck, reportFigure, say } from './report.ts'

const RECORDS = 1_000_000
const FEW = 100_000
const BEGIN_MS = Date.parse('2026-11-20T00:00:00Z')
/** A twentieth are refusals, which stand a little behind later vends. */
const REFUSED_EVERY = 20
const SUBJECTS = 500
const CLI = fileURLToPath(new URL('../../dist/cli.mjs', import.meta.url))
const CHILD = fileURLToPath(new URL('./audit-query-child.ts', import.meta.url))

interface Measure {
  readonly seconds: number
  readonly mebibytes: number
}

/**
 * A million records of a file sink, searched by the built command line, beside a bare loop that parses every line. Memory is beside
 * that of a search of a tenth of them.
 */
export async function auditQuery(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-bench-'))
  try {
    const [few, many, gzip] = ['few.jsonl', 'many.jsonl', 'many.gz'].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeRecords(few, FEW)
    await writeRecords(many, RECORDS)
    await pipeline(createReadStream(many), createGzip({ level: 1 }), createWriteStream(gzip))
    say(`${RECORDS.toLocaleString('en')} records, ${Math.round((await stat(many)).size / 1024 / 1024)} MiB`)
    const bare = await measure(['bare', many])
    reportFigure('a bare loop that parses every line', figureOf(bare))

    const searches: [what: string, args: string[], maxRatio: number][] = [
      ['the newest 100', [], 0.8],
      ['all refusals counted by principal', ['--decision', 'refused', '--count-by', 'principal'], 0.8],
      ['all of them counted by hour', ['--count-by', 'hour'], 1.5],
      ['all of them as JSON', ['--limit', '0', '-o', 'json'], 2],
    ]
    for (const [what, args, maxRatio] of searches) {
      const [small, plain, compressed] = [
        await measure(['query', few, ...args]),
        await measure(['query', many, ...args]),
        await measure(['query', gzip, ...args]),
      ]
      const ratio = plain.seconds / bare.seconds
      reportCheck(`${what} takes no more than ${maxRatio} of the bare loop`, {
        isKept: ratio <= maxRatio,
        figure: `${ratio.toFixed(2)}; ${figureOf(plain)}; compressed ${figureOf(compressed)}`,
      })
      const growth = Math.max(plain.mebibytes, compressed.mebibytes) / small.mebibytes
      reportCheck(`${what}: memory grows by no more than a half from a tenth of the records`, {
        isKept: growth <= 1.5,
        figure: `${growth.toFixed(2)}, from ${small.mebibytes.toFixed(0)} MiB`,
      })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const figureOf = ({ seconds, mebibytes }: Measure) => `${seconds.toFixed(1)} s, ${mebibytes.toFixed(0)} MiB`

/** In a process of its own, so that its peak of memory is that of the search alone. What it prints is counted and dropped. */
async function measure([kind, ...args]: readonly string[]): Promise<Measure> {
  const command = kind === 'bare' ? ['bare', ...args] : ['query', CLI, ...args]
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, ...command])
  return JSON.parse(stdout) as Measure
}

async function writeRecords(path: string, count: number): Promise<void> {
  const file = createWriteStream(path)
  let hash = GENESIS
  for (let i = 0; i < count; i++) {
    const chained = append(lineOf(i), hash)
    hash = chained.hash
    if (!file.write(`${chained.line}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}

function lineOf(i: number): string {
  const isRefused = i % REFUSED_EVERY === 0
  const ref = isRefused ? 'refs/heads/x' : 'refs/heads/main'
  const shared = {
    id: randomUUID(),
    time: new Date(BEGIN_MS + i * 200 - (isRefused ? 500 : 0)).toISOString(),
    requestId: randomUUID(),
    principal: {
      issuer: 'github',
      subject: `repo:acme/app${i % SUBJECTS}:ref:${ref}`,
      claims: { ref, repository_id: 1000 + (i % SUBJECTS) },
    },
    database: 'orders',
    user: `app${i % 7}`,
    sourceIp: `192.0.2.${i % 250}`,
    userAgent: 'curl/8.5.0',
    instance: 'host-1/1',
  }
  if (isRefused)
    return renderRecord({
      ...shared,
      decision: 'refused',
      code: 'access_denied',
      reason: 'nearest grant orders-deploy: claim ref is refs/heads/x, and has to be refs/heads/main',
    })
  return renderRecord({
    ...shared,
    decision: 'vended',
    grant: 'orders-deploy',
    identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app${i % 7}`,
    fingerprint: createHash('sha256').update(`${i}`).digest('hex'),
    cached: i % 3 > 0,
    issuedAt: '2026-11-23T09:58:00Z',
    expiresAt: '2026-11-23T10:13:00Z',
  })
}
