import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { auditItem } from '../../src/audit/dynamodb/item.ts'
import { createDynamodbSink, MAX_WRITES } from '../../src/audit/dynamodb/sink.ts'
import { renderRecord } from '../../src/audit/record.ts'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { median, reportCheck, say } from './report.ts'

const CHILD = fileURLToPath(new URL('audit-puts-child.ts', import.meta.url))
const TABLE = 'jeton-audit'
const ROUNDS = 15
/** The last is the largest batch of vends that the audit log gives the sink. */
const BATCHES = [1, 10, MAX_WRITES]
/** DynamoDB's limit of one BatchWriteItem. */
const MAX_REQUESTS = 25

/**
 * What conditional puts cost against BatchWriteItem, which would let jeton's role delete records: for batches of 1 to 100
 * records, the time until all are acknowledged, and the processor's time, as ratios within this run. DynamoDB is dynalite,
 * which has one processor for all requests: in AWS the time of a large batch differs by less.
 */
export async function auditPuts(): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD], { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const [environment] = await once(child.stdout.setEncoding('utf8'), 'data')
    Object.assign(process.env, JSON.parse(environment))
    await compare()
  } finally {
    child.kill()
  }
}

async function compare(): Promise<void> {
  const clock = systemClock()
  const client = createDynamodbClient({ clock })
  const sink = createDynamodbSink({ client, table: TABLE, clock, random: Math.random })
  let written = 0
  const newLines = (count: number) => Array.from({ length: count }, () => recordLine(written++))

  async function batchWrite(lines: readonly string[]): Promise<void> {
    const calls: Promise<unknown>[] = []
    for (let start = 0; start < lines.length; start += MAX_REQUESTS) {
      const requests = lines
        .slice(start, start + MAX_REQUESTS)
        .map(line => ({ PutRequest: { Item: auditItem(line, { fallbackTimeMs: 0 }) } }))
      calls.push(client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } })))
    }
    await Promise.all(calls)
  }

  say('conditional puts against BatchWriteItem: until a batch of records is in DynamoDB')
  const ratios: number[] = []
  for (const size of BATCHES) {
    const puts: Cost[] = []
    const batches: Cost[] = []
    for (let round = 0; round < ROUNDS; round++) {
      batches.push(await costOf(() => batchWrite(newLines(size))))
      puts.push(await costOf(() => sink.append(newLines(size))))
    }
    const [time, cpu] = (['ms', 'cpuMs'] as const).map(
      measure => median(puts.map(cost => cost[measure])) / median(batches.map(cost => cost[measure])),
    ) as [number, number]
    ratios.push(time)
    const requests = `${Math.ceil(size / MAX_REQUESTS)} requests become ${size}`
    say(
      `  ${size} at once: ${time.toFixed(1)} times the time, ${cpu.toFixed(1)} times the processor; ${requests}`,
    )
  }
  const [single = Number.NaN] = ratios
  reportCheck('a single record waits no longer', {
    isKept: single <= 1.5,
    figure: `${single.toFixed(2)} times`,
  })
  client.destroy()
}

interface Cost {
  readonly ms: number
  readonly cpuMs: number
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 }
}

/** A vend's record of the usual length. */
function recordLine(number: number): string {
  return renderRecord({
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    time: '2026-11-23T10:00:00.000Z',
    decision: 'vended',
    principal: { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' },
    database: 'orders',
    user: 'migrator',
    reason: 'x'.repeat(300),
  })
}
