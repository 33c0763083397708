import { type BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { auditItem, BY_PRINCIPAL, principalKey } from '../../../src/audit/dynamodb/item.ts'
import { createDynamodbSink } from '../../../src/audit/dynamodb/sink.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import type { Sink } from '../../../src/audit/sink.ts'
import { createDynamodbClient } from '../../../src/aws/dynamodb.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { describeSink } from '../../contracts/sinks.ts'
import { type Dynamodb, startDynamodb } from '../../support/aws/dynamodb.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { line, record } from '../support.ts'

const TABLE = 'jeton-audit'
const AT = Date.parse(record().time)

/** A DynamoDB of its own for one test, found by the environment as in production. */
async function started(): Promise<Dynamodb> {
  const dynamodb = await startDynamodb()
  for (const [name, value] of Object.entries(dynamodb.environment())) vi.stubEnv(name, value)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await dynamodb.close()
  })
  return dynamodb
}

function openSink(options: { retentionDays?: number; table?: string } = {}): Sink {
  const clock = systemClock()
  const client = createDynamodbClient({ clock })
  onTestFinished(() => client.destroy())
  return createDynamodbSink({ client, table: TABLE, clock, ...options })
}

/** The records in the table, in the order of their sort keys. */
async function lines(dynamodb: Dynamodb): Promise<string[]> {
  const items = (await dynamodb.items(TABLE)) as { sk: string; record: string }[]
  return items.sort((a, b) => (a.sk < b.sk ? -1 : 1)).map(item => item.record)
}

const idsIn = async (dynamodb: Dynamodb) => (await lines(dynamodb)).map(text => JSON.parse(text).id)

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => line(`r${String(i).padStart(4, '0')}`))

describeSink('DynamoDB', async () => {
  const dynamodb = await started()
  return {
    sink: openSink(),
    ids: () => idsIn(dynamodb),
    breakDown() {
      dynamodb.faults.fail = true
    },
    mend() {
      dynamodb.faults.fail = false
    },
  }
})

describe('in the table', () => {
  test('a record is an item that says when and for whom', async () => {
    const dynamodb = await started()
    const text = renderRecord(record({ id: 'r1', principal: { issuer: 'ci', subject: 'repo:a/b' } }))
    await openSink().append([text])
    expect(await dynamodb.items(TABLE)).toEqual([
      {
        pk: expect.stringMatching(/^2026-11-23#[0-9a-f]$/),
        sk: '2026-11-23T10:00:00.000Z#r1',
        principal: 'ci/repo:a/b',
        record: text,
        v: 1,
      },
    ])
  })

  test('a record goes when its days are over, where they are counted', async () => {
    const dynamodb = await started()
    await openSink({ retentionDays: 30 }).append([line('a')])
    const [item] = await dynamodb.items(TABLE)
    expect(item?.ttl).toBe(Date.parse('2026-12-23T10:00:00Z') / 1000)
  })

  test('300 records and one of 8 KB are there when append returns, once each', async () => {
    const dynamodb = await started()
    const large = renderRecord(record({ id: 's', reason: 'x'.repeat(500), identity: 'y'.repeat(7500) }))
    await openSink().append([...many(300), large])
    expect(await lines(dynamodb)).toEqual([...many(300), large])
  })

  test('a reply that was lost makes no record twice', async () => {
    const dynamodb = await started()
    dynamodb.faults.dropReply(1)
    await openSink().append(many(30))
    expect(dynamodb.calls.length).toBeGreaterThan(2)
    expect(await lines(dynamodb)).toEqual(many(30))
  })

  test('a batch that failed and is given again makes no record twice', async () => {
    const dynamodb = await started()
    const sink = openSink()
    dynamodb.faults.dropReply(1000)
    await expect(sink.append(many(60))).rejects.toThrow()
    expect(await lines(dynamodb)).not.toEqual([])
    dynamodb.faults.dropReply(0)
    await sink.append(many(60))
    expect(await lines(dynamodb)).toEqual(many(60))
  })

  test('a line given twice in one batch is one record', async () => {
    const dynamodb = await started()
    await openSink().append([line('a'), line('b'), line('a')])
    expect(await idsIn(dynamodb)).toEqual(['a', 'b'])
  })

  test('a principal whose name is long, or cut in the midst of a character, is found by the index', async () => {
    const dynamodb = await started()
    const subjects = ['s'.repeat(5000), `${'x'.repeat(510)}🪙${'y'.repeat(500)}`, '字'.repeat(5000)]
    const texts = subjects.map((subject, i) =>
      renderRecord(record({ id: `r${i}`, principal: { issuer: 'ci', subject } })),
    )
    await openSink().append(texts)
    const items = await dynamodb.items(TABLE)
    expect(items).toHaveLength(3)
    for (const principal of items.map(item => String(item.principal))) {
      expect(principal).toMatch(/^ci\//)
      // halves of surrogate pairs are no UTF-8, which is all that DynamoDB takes
      expect(Buffer.from(principal).toString()).toBe(principal)
    }
  })

  test('lines that are no records are kept, and hold up no others', async () => {
    const dynamodb = await started()
    const odd = ['no JSON', 'null', '[]', '{"type":"jeton.audit"}', '{"id":7,"time":"soon","principal":"x"}']
    await openSink().append([...odd, line('a'), line('i'.repeat(5000))])
    expect(new Set(await lines(dynamodb))).toEqual(new Set([...odd, line('a'), line('i'.repeat(5000))]))
  })
})

describe('a table that does not take them', () => {
  test.each([
    ['gone', 'ECONNRESET', (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { gone: true })],
    ['failing', '500', (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { fail: true })],
    [
      'not ours',
      'AccessDeniedException',
      (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { refuse: 'AccessDeniedException' }),
    ],
  ])('is told by name where it is %s, never with a signature', async (_, told, damage) => {
    const dynamodb = await started()
    damage(dynamodb)
    const error = await openSink()
      .append(many(100))
      .catch(cause => cause)
    expect(error.message).toContain(told)
    expect(`${error.stack} ${error.cause}`).not.toMatch(/AKIA|Signature/)
  })

  test('is told where nothing says in which region it is', async () => {
    await started()
    vi.stubEnv('AWS_REGION', undefined)
    await expect(openSink().append([line('a')])).rejects.toThrow('no region is configured: set AWS_REGION')
  })

  test('is told by name where there is none', async () => {
    await started()
    await expect(openSink({ table: 'other' }).append([line('a')])).rejects.toThrow(
      'ResourceNotFoundException',
    )
  })
})

/** A DynamoDB that answers as it is told: `answer` gets each batch and gives what it has not taken, or throws. */
function played(
  answer: (requests: WriteRequest[], call: number) => WriteRequest[] | Promise<WriteRequest[]>,
) {
  const clock = virtualClock()
  const taken: string[] = []
  const sizes: number[] = []
  const client = new DynamoDBClient({ region: 'us-east-1' })
  const send = async (command: BatchWriteItemCommand) => {
    const requests = command.input.RequestItems?.[TABLE] ?? []
    sizes.push(requests.length)
    const left = await answer(requests, sizes.length)
    for (const each of requests) if (!left.includes(each)) taken.push(each.PutRequest?.Item?.record?.S ?? '')
    return { UnprocessedItems: left.length > 0 ? { [TABLE]: left } : {} }
  }
  const sink = createDynamodbSink({ client: Object.assign(client, { send }), table: TABLE, clock })
  let ended: 'no' | 'resolved' | Error = 'no'
  const append = (texts: readonly string[]) => {
    ended = 'no'
    sink.append(texts).then(
      () => {
        ended = 'resolved'
      },
      error => {
        ended = error
      },
    )
    return settle()
  }
  return { clock, sink, append, taken, sizes, ended: () => ended }
}

function throttled(): Error {
  return Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' })
}

describe('what is left unprocessed', () => {
  test('is sent again, after growing pauses, until all is taken', async () => {
    const calls: number[] = []
    const it = played((requests, call) => {
      calls.push(it.clock.now())
      return call < 4 ? requests.slice(5) : []
    })
    await it.append(many(25))
    expect(it.ended()).toBe('no')
    await it.clock.advance(200)
    expect(it.ended()).toBe('resolved')
    expect(it.sizes).toEqual([25, 20, 15, 10])
    expect(it.taken.sort()).toEqual(many(25))
    const pauses = calls.slice(1).map((at, i) => at - (calls[i] ?? 0))
    for (const [i, pauseMs] of pauses.entries()) {
      expect(pauseMs).toBeGreaterThanOrEqual(10 * 2 ** i)
      expect(pauseMs).toBeLessThanOrEqual(20 * 2 ** i)
    }
  })

  test('is all of a batch where not one item was taken', async () => {
    const it = played((_, call) => {
      if (call === 1) throw throttled()
      return []
    })
    await it.append(many(3))
    await it.clock.advance(20)
    expect(it.ended()).toBe('resolved')
    expect(it.sizes).toEqual([3, 3])
  })

  test('fails the batch before the audit log gives it up, and is not tried any more', async () => {
    const it = played(requests => requests.slice(0, 1))
    await it.append(many(60))
    await it.clock.advance(1799)
    expect(it.ended()).toBe('no')
    await it.clock.advance(1)
    expect(it.ended()).toEqual(new Error('it throttles, and has not taken every record within 1800 ms'))
    const calls = it.sizes.length
    await it.clock.advance(10_000)
    expect(it.sizes).toHaveLength(calls)
  })

  test('fails the batch where DynamoDB does not answer at all', async () => {
    const it = played(() => new Promise(() => {}))
    await it.append(many(1))
    await it.clock.advance(1800)
    expect(it.ended()).toEqual(new Error('it has not taken every record within 1800 ms'))
  })
})

describe('a large batch', () => {
  test('goes out in chunks of 25, eight at once', async () => {
    const gates: (() => void)[] = []
    const it = played(() => new Promise(resolve => gates.push(() => resolve([]))))
    await it.append(many(260))
    expect(it.sizes).toEqual(Array(8).fill(25))
    for (let open = gates.shift(); open; open = gates.shift()) {
      open()
      await settle()
    }
    expect(it.ended()).toBe('resolved')
    expect(it.sizes).toEqual([...Array(10).fill(25), 10])
    expect(it.taken.sort()).toEqual(many(260))
  })

  test('fails as one of its chunks does, and sends no more of it', async () => {
    const it = played((requests, call) => {
      if (call === 5) throw Object.assign(new Error('secret'), { name: 'InternalServerError' })
      return call < 5 ? [] : requests
    })
    await it.append(many(1000))
    expect(it.ended()).toEqual(new Error('InternalServerError'))
    await it.clock.advance(10_000)
    expect(it.sizes.length).toBeLessThan(20)
    expect(it.clock.now()).toBeGreaterThan(AT)
  })

  test('is waited for when the log is closed', async () => {
    let open = () => {}
    const it = played(
      () =>
        new Promise(resolve => {
          open = () => resolve([])
        }),
    )
    await it.append([line('a')])
    let isClosed = false
    const closing = it.sink.close().then(() => {
      isClosed = true
    })
    await settle()
    expect(isClosed).toBe(false)
    open()
    await closing
  })
})

describe('the key of an item', () => {
  test('is that of the line, whenever it is written', () => {
    expect(auditItem(line('a'), { seenAt: 1 })).toEqual(auditItem(line('a'), { seenAt: AT + 86_400_000 }))
  })

  test('spreads a day over sixteen partitions', () => {
    const partitions = new Set(many(1000).map(text => auditItem(text, { seenAt: 0 }).pk?.S))
    expect(partitions.size).toBe(16)
  })

  test('of a principal is never longer than DynamoDB allows, nor one that two share', () => {
    const subjects = ['a', 'a'.repeat(3000), `${'a'.repeat(2999)}b`, '字'.repeat(1000)]
    const keys = subjects.map(subject => principalKey({ issuer: 'ci', subject }))
    expect(new Set(keys).size).toBe(4)
    for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThanOrEqual(2048)
    expect(BY_PRINCIPAL).toBe('byPrincipal')
  })
})
