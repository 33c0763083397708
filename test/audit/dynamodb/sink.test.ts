import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AuditItem, auditItem } from '../../../src/audit/dynamodb/item.ts'
import { createDynamodbSink } from '../../../src/audit/dynamodb/sink.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { describeSink } from '../../contracts/sinks.ts'
import type { Dynamodb } from '../../support/aws/dynamodb.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { line, record } from '../support.ts'
import { createClient, createSink, startOwnDynamodb, TABLE } from './support.ts'

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

  test('40 records and one of 8 KB, once each, before append returns', async () => {
    const dynamodb = await startOwnDynamodb()
    const large = renderRecord(record({ id: 's', reason: 'x'.repeat(500), identity: 'y'.repeat(7500) }))
    await createSink().append([...many(40), large])
    expect(await lines(dynamodb)).toEqual([...many(40), large])
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
    await expect(sink.append(many(20))).rejects.toThrow()
    expect(await lines(dynamodb)).not.toEqual([])
    dynamodb.faults.dropReply(0)
    await sink.append(many(20))
    expect(await lines(dynamodb)).toEqual(many(20))
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

/** What somebody who may write to the table puts there under the key of `line('a')`. */
const PLANTED: AuditItem = {
  ...auditItem(line('a'), { fallbackTimeMs: 0 }),
  record: { S: '{"planted":true}' },
}

async function plant(item = PLANTED): Promise<void> {
  await createClient().send(new PutItemCommand({ TableName: TABLE, Item: item }))
}

describe('createDynamodbSink, if the key of a record is taken,', () => {
  test('overwrites nothing and rejects: the record is not there', async () => {
    const dynamodb = await startOwnDynamodb()
    await plant()
    await expect(createSink().append([line('a')])).rejects.toThrow(
      'the audit table jeton-audit has another record under the key of this one: only jeton may write to it; find out who did',
    )
    expect(await lines(dynamodb)).toEqual(['{"planted":true}'])
  })

  test('does not overwrite a record of jeton that has the same time and id', async () => {
    const dynamodb = await startOwnDynamodb()
    const [one, other] = ['one', 'other'].map(reason => renderRecord(record({ id: 'a', reason })))
    await expect(createSink().append([one ?? '', other ?? ''])).rejects.toThrow('another record')
    expect([[one], [other]]).toContainEqual(await lines(dynamodb))
  })

  test('keeps the record beside it when it comes again, as refusals do, and others with it', async () => {
    const dynamodb = await startOwnDynamodb()
    await plant()
    const sink = createSink()
    await expect(sink.append([line('a')])).rejects.toThrow('another record')
    await sink.append([line('a'), line('b')])
    await sink.append([line('a')])
    expect(new Set(await lines(dynamodb))).toEqual(new Set(['{"planted":true}', line('a'), line('b')]))
  })

  test('by the same record with other attributes, puts these right', async () => {
    const dynamodb = await startOwnDynamodb()
    await plant({ ...PLANTED, record: { S: line('a') }, ttl: { N: '1' } })
    await createSink().append([line('a')])
    const [item] = await dynamodb.items(TABLE)
    expect(item).toMatchObject({ record: line('a') })
    expect(item).not.toHaveProperty('ttl')
  })

  test('asks with nothing but conditional puts', async () => {
    const dynamodb = await startOwnDynamodb()
    const sink = createSink()
    dynamodb.faults.dropReply(1)
    await sink.append([line('a')])
    await sink.append([line('a')])
    expect(new Set(dynamodb.calls.map(({ operation }) => operation))).toEqual(new Set(['PutItem']))
    expect(await lines(dynamodb)).toEqual([line('a')])
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
    onTestFinished(() => void vi.unstubAllEnvs())
    await expect(createSink().append([line('a')])).rejects.toThrow('no region is configured: set AWS_REGION')
  })

  test('with the name of the error if there is no such table', async () => {
    await startOwnDynamodb()
    await expect(createSink({ table: 'other' }).append([line('a')])).rejects.toThrow(
      'ResourceNotFoundException',
    )
  })
})

/** What DynamoDB answers to one put: it takes it, or throws an error of this name. */
type Answer = 'taken' | 'ProvisionedThroughputExceededException' | 'InternalServerError'

/** A sink over a client that gives these answers; `call` counts from 1. */
function sinkAnswering(
  answer: (text: string, call: number) => Answer | Promise<Answer>,
  { random = 1 } = {},
) {
  const clock = virtualClock()
  const taken: string[] = []
  const calls: { text: string; at: number; condition: string | undefined }[] = []
  const client = new DynamoDBClient({ region: 'us-east-1' })
  const send = async ({ input }: PutItemCommand) => {
    const text = input.Item?.record?.S ?? ''
    calls.push({ text, at: clock.now(), condition: input.ConditionExpression })
    const name = await answer(text, calls.length)
    if (name !== 'taken') throw Object.assign(new Error('secret'), { name })
    taken.push(text)
    return {}
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
  return { clock, sink, append, taken, calls, outcome: () => outcome }
}

const THROTTLED = 'ProvisionedThroughputExceededException'

describe('createDynamodbSink, throttled,', () => {
  test.each([
    [0, [10, 20, 40]],
    [1, [20, 40, 80]],
  ])(
    'puts a record again, after growing pauses, until it is taken (random is %i)',
    async (random, pausesMs) => {
      const fake = sinkAnswering((_, call) => (call < 4 ? THROTTLED : 'taken'), { random })
      await fake.append(many(1))
      expect(fake.outcome()).toBe('pending')
      await fake.clock.advance(200)
      expect(fake.outcome()).toBe('resolved')
      expect(fake.calls.slice(1).map(({ at }, i) => at - (fake.calls[i]?.at ?? 0))).toEqual(pausesMs)
      expect(fake.taken).toEqual(many(1))
    },
  )

  test('does not put those again that were taken', async () => {
    const [slow = '', ...others] = many(25)
    const fake = sinkAnswering((text, call) => (text === slow && call <= 25 ? THROTTLED : 'taken'))
    await fake.append([slow, ...others])
    expect(fake.outcome()).toBe('pending')
    await fake.clock.advance(20)
    expect(fake.outcome()).toBe('resolved')
    expect(fake.calls.map(({ text }) => text)).toEqual([slow, ...others, slow])
  })

  test('rejects before the audit log gives up, and puts no more', async () => {
    const fake = sinkAnswering(text => (text === line('r0000') ? THROTTLED : 'taken'))
    await fake.append(many(60))
    await fake.clock.advance(1799)
    expect(fake.outcome()).toBe('pending')
    await fake.clock.advance(1)
    expect(fake.outcome()).toEqual(new Error('it throttles, and has not taken every record within 1800 ms'))
    const calls = fake.calls.length
    await fake.clock.advance(10_000)
    expect(fake.calls).toHaveLength(calls)
  })
})

test('createDynamodbSink rejects if DynamoDB does not answer at all', async () => {
  const fake = sinkAnswering(() => new Promise(() => {}))
  await fake.append(many(1))
  await fake.clock.advance(1800)
  expect(fake.outcome()).toEqual(new Error('it has not taken every record within 1800 ms'))
})

describe('createDynamodbSink, given a large batch,', () => {
  test('puts twenty-five records at once, each on condition that its key is free', async () => {
    const gates: (() => void)[] = []
    const fake = sinkAnswering(() => new Promise(resolve => gates.push(() => resolve('taken'))))
    await fake.append(many(120))
    expect(fake.calls).toHaveLength(25)
    for (let open = gates.shift(); open; open = gates.shift()) {
      open()
      await settle()
      expect(gates.length).toBeLessThanOrEqual(25)
    }
    expect(fake.outcome()).toBe('resolved')
    expect(fake.taken.sort()).toEqual(many(120))
    expect(new Set(fake.calls.map(({ condition }) => condition))).toEqual(
      new Set(['attribute_not_exists(pk)']),
    )
  })

  test('rejects when one put fails, and puts no more', async () => {
    const fake = sinkAnswering((_, call) => (call === 5 ? 'InternalServerError' : 'taken'))
    await fake.append(many(1000))
    expect((fake.outcome() as Error).message).toMatch(
      /^cannot write to the audit table jeton-audit in us-east-1: InternalServerError; AWS fails/,
    )
    await fake.clock.advance(10_000)
    expect(fake.calls.length).toBeLessThan(200)
  })

  test('finishes it before close resolves', async () => {
    let open = () => {}
    const fake = sinkAnswering(
      () =>
        new Promise(resolve => {
          open = () => resolve('taken')
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
