import { type BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { describe, expect, test, vi } from 'vitest'
import { createDynamodbSink } from '../../../src/audit/dynamodb/sink.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { describeSink } from '../../contracts/sinks.ts'
import type { Dynamodb } from '../../support/aws/dynamodb.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { line, record } from '../support.ts'
import { createSink, startOwnDynamodb, TABLE } from './support.ts'

const TIME_MS = Date.parse(record().time)

/** The records in the table, in the order of their sort keys. */
async function lines(dynamodb: Dynamodb): Promise<string[]> {
  const items = (await dynamodb.items(TABLE)) as { sk: string; record: string }[]
  return items.sort((a, b) => (a.sk < b.sk ? -1 : 1)).map(item => item.record)
}

const idsIn = async (dynamodb: Dynamodb) => (await lines(dynamodb)).map(text => JSON.parse(text).id)

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => line(`r${String(i).padStart(4, '0')}`))

describeSink('DynamoDB', async () => {
  const dynamodb = await startOwnDynamodb()
  return {
    sink: createSink(),
    ids: () => idsIn(dynamodb),
    breakDown() {
      dynamodb.faults.fail = true
    },
    repair() {
      dynamodb.faults.fail = false
    },
  }
})

describe('createDynamodbSink writes', () => {
  test('a record as an item that says when and for whom', async () => {
    const dynamodb = await startOwnDynamodb()
    const text = renderRecord(record({ id: 'r1', principal: { issuer: 'ci', subject: 'repo:a/b' } }))
    await createSink().append([text])
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

  test('an item that expires after the days of retention', async () => {
    const dynamodb = await startOwnDynamodb()
    await createSink({ retentionDays: 30 }).append([line('a')])
    const [item] = await dynamodb.items(TABLE)
    expect(item?.ttl).toBe(Date.parse('2026-12-23T10:00:00Z') / 1000)
  })

  test('300 records and one of 8 KB, once each, before append returns', async () => {
    const dynamodb = await startOwnDynamodb()
    const large = renderRecord(record({ id: 's', reason: 'x'.repeat(500), identity: 'y'.repeat(7500) }))
    await createSink().append([...many(300), large])
    expect(await lines(dynamodb)).toEqual([...many(300), large])
  })

  test('no record twice after a lost reply', async () => {
    const dynamodb = await startOwnDynamodb()
    dynamodb.faults.dropReply(1)
    await createSink().append(many(30))
    expect(dynamodb.calls.length).toBeGreaterThan(2)
    expect(await lines(dynamodb)).toEqual(many(30))
  })

  test('no record twice when a failed batch is appended again', async () => {
    const dynamodb = await startOwnDynamodb()
    const sink = createSink()
    dynamodb.faults.dropReply(1000)
    await expect(sink.append(many(60))).rejects.toThrow()
    expect(await lines(dynamodb)).not.toEqual([])
    dynamodb.faults.dropReply(0)
    await sink.append(many(60))
    expect(await lines(dynamodb)).toEqual(many(60))
  })

  test('one item for a line that is twice in a batch', async () => {
    const dynamodb = await startOwnDynamodb()
    await createSink().append([line('a'), line('b'), line('a')])
    expect(await idsIn(dynamodb)).toEqual(['a', 'b'])
  })

  test('a key for the index even if a subject is long, or cut in the middle of a character', async () => {
    const dynamodb = await startOwnDynamodb()
    const subjects = ['s'.repeat(5000), `${'x'.repeat(510)}🪙${'y'.repeat(500)}`, '字'.repeat(5000)]
    const texts = subjects.map((subject, i) =>
      renderRecord(record({ id: `r${i}`, principal: { issuer: 'ci', subject } })),
    )
    await createSink().append(texts)
    const items = await dynamodb.items(TABLE)
    expect(items).toHaveLength(3)
    for (const principal of items.map(item => String(item.principal))) {
      expect(principal).toMatch(/^ci\//)
      // UTF-8 cannot hold halves of surrogate pairs, and DynamoDB takes nothing else
      expect(Buffer.from(principal).toString()).toBe(principal)
    }
  })

  test('lines that are not records, and the others with them', async () => {
    const dynamodb = await startOwnDynamodb()
    const odd = ['no JSON', 'null', '[]', '{"type":"jeton.audit"}', '{"id":7,"time":"soon","principal":"x"}']
    await createSink().append([...odd, line('a'), line('i'.repeat(5000))])
    expect(new Set(await lines(dynamodb))).toEqual(new Set([...odd, line('a'), line('i'.repeat(5000))]))
  })
})

describe('createDynamodbSink rejects', () => {
  test.each([
    ['gone', 'ECONNRESET', (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { gone: true })],
    ['failing', '500', (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { fail: true })],
    [
      'not ours',
      'AccessDeniedException',
      (dynamodb: Dynamodb) => Object.assign(dynamodb.faults, { refuse: 'AccessDeniedException' }),
    ],
  ])('with the name of the error and no signature if the table is %s', async (_, name, damage) => {
    const dynamodb = await startOwnDynamodb()
    damage(dynamodb)
    const error = await createSink()
      .append(many(100))
      .catch(cause => cause)
    expect(error.message).toContain(name)
    expect(`${error.stack} ${error.cause}`).not.toMatch(/AKIA|Signature/)
  })

  test('with what to do if no region is configured', async () => {
    await startOwnDynamodb()
    vi.stubEnv('AWS_REGION', undefined)
    await expect(createSink().append([line('a')])).rejects.toThrow('no region is configured: set AWS_REGION')
  })

  test('with the name of the error if there is no such table', async () => {
    await startOwnDynamodb()
    await expect(createSink({ table: 'other' }).append([line('a')])).rejects.toThrow(
      'ResourceNotFoundException',
    )
  })
})

/** A sink over a client that answers with `answer`, which gets each call and returns what it did not take, or throws. */
function sinkAnswering(
  answer: (requests: WriteRequest[], call: number) => WriteRequest[] | Promise<WriteRequest[]>,
  { random = 1 } = {},
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
  const sink = createDynamodbSink({
    client: Object.assign(client, { send }),
    table: TABLE,
    clock,
    random: () => random,
  })
  let outcome: 'pending' | 'resolved' | Error = 'pending'
  const append = (texts: readonly string[]) => {
    outcome = 'pending'
    sink.append(texts).then(
      () => {
        outcome = 'resolved'
      },
      error => {
        outcome = error
      },
    )
    return settle()
  }
  return { clock, sink, append, taken, sizes, outcome: () => outcome }
}

function throttled(): Error {
  return Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' })
}

describe('createDynamodbSink, left with unprocessed items,', () => {
  test.each([
    [0, [10, 20, 40]],
    [1, [20, 40, 80]],
  ])(
    'sends them again, after growing pauses, until all are taken (random is %i)',
    async (random, pausesMs) => {
      const calls: number[] = []
      const answer = (requests: WriteRequest[], call: number) => {
        calls.push(fake.clock.now())
        return call < 4 ? requests.slice(5) : []
      }
      const fake = sinkAnswering(answer, { random })
      await fake.append(many(25))
      expect(fake.outcome()).toBe('pending')
      await fake.clock.advance(200)
      expect(fake.outcome()).toBe('resolved')
      expect(fake.sizes).toEqual([25, 20, 15, 10])
      expect(fake.taken.sort()).toEqual(many(25))
      expect(calls.slice(1).map((at, i) => at - (calls[i] ?? 0))).toEqual(pausesMs)
    },
  )

  test('sends all of a batch again if not one item was taken', async () => {
    const fake = sinkAnswering((_, call) => {
      if (call === 1) throw throttled()
      return []
    })
    await fake.append(many(3))
    await fake.clock.advance(20)
    expect(fake.outcome()).toBe('resolved')
    expect(fake.sizes).toEqual([3, 3])
  })

  test('rejects before the audit log gives up, and sends no more', async () => {
    const fake = sinkAnswering(requests => requests.slice(0, 1))
    await fake.append(many(60))
    await fake.clock.advance(1799)
    expect(fake.outcome()).toBe('pending')
    await fake.clock.advance(1)
    expect(fake.outcome()).toEqual(new Error('it throttles, and has not taken every record within 1800 ms'))
    const calls = fake.sizes.length
    await fake.clock.advance(10_000)
    expect(fake.sizes).toHaveLength(calls)
  })

  test('rejects if DynamoDB does not answer at all', async () => {
    const fake = sinkAnswering(() => new Promise(() => {}))
    await fake.append(many(1))
    await fake.clock.advance(1800)
    expect(fake.outcome()).toEqual(new Error('it has not taken every record within 1800 ms'))
  })
})

describe('createDynamodbSink, given a large batch,', () => {
  test('sends calls of 25 items, eight at once', async () => {
    const gates: (() => void)[] = []
    const fake = sinkAnswering(() => new Promise(resolve => gates.push(() => resolve([]))))
    await fake.append(many(260))
    expect(fake.sizes).toEqual(Array(8).fill(25))
    for (let open = gates.shift(); open; open = gates.shift()) {
      open()
      await settle()
    }
    expect(fake.outcome()).toBe('resolved')
    expect(fake.sizes).toEqual([...Array(10).fill(25), 10])
    expect(fake.taken.sort()).toEqual(many(260))
  })

  test('rejects when one call fails, and sends no more', async () => {
    const fake = sinkAnswering((requests, call) => {
      if (call === 5) throw Object.assign(new Error('secret'), { name: 'InternalServerError' })
      return call < 5 ? [] : requests
    })
    await fake.append(many(1000))
    expect(fake.outcome()).toEqual(
      new Error('cannot write to the audit table jeton-audit in us-east-1: InternalServerError'),
    )
    await fake.clock.advance(10_000)
    expect(fake.sizes.length).toBeLessThan(20)
    expect(fake.clock.now()).toBeGreaterThan(TIME_MS)
  })

  test('finishes it before close resolves', async () => {
    let open = () => {}
    const fake = sinkAnswering(
      () =>
        new Promise(resolve => {
          open = () => resolve([])
        }),
    )
    await fake.append([line('a')])
    let isClosed = false
    const closing = fake.sink.close().then(() => {
      isClosed = true
    })
    await settle()
    expect(isClosed).toBe(false)
    open()
    await closing
  })
})
