import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import type { JetonError } from '../../src/errors.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createDynamodbStore } from '../../src/store/dynamodb.ts'
import { UnreadableRecord } from '../../src/store/record-format.ts'
import type { Store } from '../../src/store/store.ts'
import { describeStore } from '../contracts/stores.ts'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { hangCredentialSearch, stubEnvironment } from '../support/aws/stub-environment.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

let dynamodb: Dynamodb
let clock: VirtualClock
let store: Store
let clients: ReturnType<typeof createDynamodbClient>[]

beforeEach(async () => {
  dynamodb = await startDynamodb()
  stubEnvironment(dynamodb.environment())
  clients = []
  clock = virtualClock()
  store = openStore(clock)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const client of clients) client.destroy()
  await dynamodb.close()
})

function createClient(clock: Clock) {
  const client = createDynamodbClient({ clock })
  clients.push(client)
  return client
}

function openStore(clock: Clock, table = 'jeton'): Store {
  return createDynamodbStore({ client: createClient(clock), table, clock })
}

const write = (
  expectedVersion: string,
  { text = 'text', forMs = 60_000, to = store, at = clock.now() } = {},
) => to.compareAndSwap({ key: 'k', bytes: Buffer.from(text), expectedVersion, expiresAt: at + forMs })
const readText = async (from = store) => Buffer.from((await from.read('k'))?.bytes ?? []).toString()
const failureOf = (call: Promise<unknown>): Promise<JetonError> =>
  call.then(
    () => expect.fail('it did not reject'),
    cause => cause,
  )
/** Returns the operations since its last call. */
function takeOperations(): string[] {
  return dynamodb.calls.splice(0).map(({ operation }) => operation)
}

describeStore('in DynamoDB', async clock => [openStore(clock), openStore(clock)])

/** What releases before this one wrote for `write` with this `keepUntil`, apart from its random version. */
const OLD_ITEM = {
  pk: { S: 'token/golden' },
  sk: { S: 'record' },
  v: { N: '1' },
  version: { S: '2lcaDCVS6JvE1s_uFse3bQ' },
  bytes: { B: Buffer.from('{"v":1}') },
  expiresAt: { N: '1795428900000' },
  ttl: { N: '1795432500' },
  keepUntil: { N: '1795428540000.5' },
}

test('createDynamodbStore writes the item that older releases wrote, to be deleted an hour after its last use', async () => {
  const expiresAt = 1795428900000
  const key = 'token/golden'
  const bytes = Buffer.from('{"v":1}')
  await store.compareAndSwap({ key, bytes, expectedVersion: 'absent', expiresAt, keepUntil: 1795428540000.5 })
  const { Item } = await createClient(clock).send(
    new GetItemCommand({ TableName: 'jeton', Key: { pk: OLD_ITEM.pk, sk: OLD_ITEM.sk } }),
  )
  const version = { S: expect.stringMatching(/^[\w-]{22}$/) }
  expect(Item).toEqual({ ...OLD_ITEM, version, bytes: { B: Uint8Array.from(bytes) } })

  await store.compareAndSwap({
    key: 'k',
    bytes,
    expectedVersion: 'absent',
    expiresAt,
    keepUntil: expiresAt + 1,
  })
  const items = await dynamodb.items('jeton')
  expect(items.find(({ pk }) => pk === 'k')).toMatchObject({ ttl: 1795432501 })
})

test('createDynamodbStore reads and replaces an item of an older release', async () => {
  await createClient(clock).send(new PutItemCommand({ TableName: 'jeton', Item: OLD_ITEM }))
  const record = await store.read('token/golden')
  expect(record?.version).toBe('2lcaDCVS6JvE1s_uFse3bQ')
  expect(Buffer.from(record?.bytes ?? []).toString()).toBe('{"v":1}')
  const outcome = await store.compareAndSwap({
    key: 'token/golden',
    bytes: Buffer.from('new'),
    expectedVersion: '2lcaDCVS6JvE1s_uFse3bQ',
    expiresAt: 1795428900000,
  })
  expect(outcome).not.toBe('conflict')
})

describe('a write whose reply was lost', () => {
  test('succeeds when the SDK retries it', async () => {
    await store.read('k')
    takeOperations()
    dynamodb.faults.dropReply(1)
    const first = await write('absent', { text: 'first' })
    expect(first).not.toBe('conflict')
    expect(takeOperations()).toEqual(['PutItem', 'PutItem', 'GetItem'])
    dynamodb.faults.dropReply(1)
    const second = await write(first, { text: 'second' })
    expect((await store.read('k'))?.version).toBe(second)
    expect(await readText()).toBe('second')
  })

  test('is a conflict if another write came first', async () => {
    const theirs = await write('absent', { text: 'theirs' })
    dynamodb.faults.dropReply(1)
    expect(await write('absent', { text: 'mine' })).toBe('conflict')
    expect((await store.read('k'))?.version).toBe(theirs)
  })

  test('rejects if the reply to the retry is lost too, and was written all the same', async () => {
    await store.read('k')
    dynamodb.faults.dropReply(2)
    await expect(write('absent')).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(await readText()).toBe('text')
  })
})

test('an expired item that is still in the table is absent, and can be replaced', async () => {
  const first = await write('absent', { forMs: 1000 })
  await clock.advance(1000)
  expect(await dynamodb.items('jeton')).toHaveLength(1)
  expect(await store.read('k')).toBeUndefined()
  expect(await write(first)).toBe('conflict')
  expect(await write('absent', { text: 'new' })).not.toBe('conflict')
  expect(await readText()).toBe('new')
})

test('a clock that is ahead takes no live record for expired, even if a write is the first call', async () => {
  const aheadClock = systemClock()
  const otherClock = virtualClock(Date.now() - 120_000)
  dynamodb.faults.dateOffsetMs = -120_000
  await write('absent', { text: 'live', to: openStore(otherClock), at: otherClock.now() })
  const late = await write('absent', { text: 'late', to: openStore(aheadClock), at: aheadClock.now() })
  expect(late).toBe('conflict')
  expect(await readText(openStore(otherClock))).toBe('live')
})

describe('an item', () => {
  type Attributes = Readonly<Record<string, AttributeValue | undefined>>
  const putAttributes = (attributes: Attributes) => {
    const given = Object.entries(attributes).flatMap(([name, value]) =>
      value ? [[name, value] as const] : [],
    )
    const Item = Object.fromEntries([...given, ['pk', { S: 'k' }], ['sk', { S: 'record' }]])
    return createClient(clock).send(new PutItemCommand({ TableName: 'jeton', Item }))
  }
  const ms = (fromNow: number) => ({ N: String(clock.now() + fromNow) })
  const record = (v: number) => ({
    v: { N: String(v) },
    version: { S: 'theirs' },
    bytes: { B: Buffer.from('theirs') },
    expiresAt: ms(60_000),
  })

  test('with attributes of a newer release is read and replaced like any other', async () => {
    await putAttributes({ ...record(1), colour: { S: 'green' } })
    expect(await readText()).toBe('theirs')
    expect(await write('theirs', { text: 'mine' })).not.toBe('conflict')
    expect(await readText()).toBe('mine')
  })

  test('in the format of a newer release is unreadable until its keepUntil, and the reason says so', async () => {
    await putAttributes({ ...record(2), keepUntil: ms(5000) })
    const before = await dynamodb.items('jeton')
    for (const call of [() => store.read('k'), () => write('absent'), () => write('theirs')]) {
      const failure = await failureOf(call())
      expect(failure).toBeInstanceOf(UnreadableRecord)
      expect(failure.code).toBe('temporarily_unavailable')
      expect(failure.reason).toMatch(/record k .*newer release.* another format.*until 2026-11-23T10:00:05/)
    }
    await clock.advance(4999)
    await expect(write('absent')).rejects.toThrow('newer release')
    expect(await dynamodb.items('jeton')).toEqual(before)
  })

  test.each([
    ['past its keepUntil', 5000],
    ['without a keepUntil', undefined],
  ])('in that format %s is absent', async (_what, keptMs) => {
    await putAttributes({ ...record(2), ...(keptMs === undefined ? {} : { keepUntil: ms(keptMs) }) })
    await clock.advance(keptMs ?? 0)
    expect(await store.read('k')).toBeUndefined()
    expect(await write('theirs')).toBe('conflict')
    expect(await write('absent', { text: 'mine' })).not.toBe('conflict')
    expect(await readText()).toBe('mine')
  })

  test('without a format is absent', async () => {
    await putAttributes({ note: { S: 'by hand' } })
    expect(await store.read('k')).toBeUndefined()
    expect(await write('absent')).not.toBe('conflict')
  })

  const word = { S: 'words of a stranger' }
  test.each<[string, Attributes]>([
    [
      'of a later format, kept until the year 275760',
      { v: { N: '2' }, keepUntil: { N: '8640000000000000' } },
    ],
    [
      'of a later format, kept for ever so little longer than any clock can say',
      { v: { N: '2' }, keepUntil: { N: '1795428021001' } },
    ],
    ['of a later format, kept until a text', { v: { N: '2' }, keepUntil: word }],
    ['whose format is a text', { v: word, keepUntil: { N: '1795428021001' } }],
    ['whose format is 1 only in JavaScript', { v: { N: '1.00000000000000000001' } }],
    ['without its parts', { bytes: undefined, version: undefined }],
    ['without bytes', { bytes: undefined }],
    ['whose bytes are a text', { bytes: word }],
    ['whose bytes are a list', { bytes: { BS: [Buffer.from('x')] } }],
    ['without a version', { version: undefined }],
    ['whose version is a number', { version: { N: '9007199254740993' } }],
    ['whose version says that it is absent', { version: { S: 'absent' } }],
    ['whose version has no character', { version: { S: '' } }],
    ['whose bytes are none', { bytes: { B: Buffer.alloc(0) } }],
    ['without an expiry', { expiresAt: undefined }],
    ['whose expiry is a text', { expiresAt: word }],
    ['whose expiry is beyond numbers', { expiresAt: { N: '9e125' } }],
    ['that expires in the year 275760', { expiresAt: { N: '8640000000000000' } }],
  ])('%s is absent, and can be replaced at once', async (_what, changed) => {
    await putAttributes({ ...record(1), ...changed })
    expect(await store.read('k')).toBeUndefined()
    expect(await write('absent', { text: 'mine' })).not.toBe('conflict')
    expect(await readText()).toBe('mine')
  })

  test.each<[string, Attributes]>([
    ['a version of one character', { version: { S: '\0' } }],
    ['one byte', { bytes: { B: Buffer.alloc(1) } }],
    ['a version of 300 KB', { version: { S: 'v'.repeat(300_000) } }],
    ['390 KB', { bytes: { B: Buffer.alloc(390_000) } }],
  ])('with %s is a record, and can be replaced', async (_what, changed) => {
    await putAttributes({ ...record(1), ...changed })
    const { version = '' } = (await store.read('k')) ?? expect.fail('it is absent')
    expect(await write(version, { text: 'mine' })).not.toBe('conflict')
    expect(await readText()).toBe('mine')
  })

  test('whatever it is, is a record that can be changed, or absent, or of a later format for 16 s at most', async () => {
    const times = fc
      .oneof(fc.integer({ min: -60_000, max: 60_000 }), fc.double({ noNaN: true, min: -1e120, max: 1e120 }))
      .map(ms)
    const anything: fc.Arbitrary<AttributeValue | undefined> = fc.oneof(
      fc.constant(undefined),
      times,
      fc.constantFrom({ N: '1' }, { N: '2' }, { N: '1.0000000000000000000000001' }, { N: '-1e-100' }),
      fc.constantFrom({ S: 'absent' }, word, { B: Buffer.from('x') }, { BOOL: true }, { L: [word] }),
      fc.constantFrom<AttributeValue[]>(
        { NULL: true },
        { M: { v: { N: '1' } } },
        { SS: ['x'] },
        { NS: ['1'] },
        { BS: [Buffer.from('x')] },
      ),
      // 38 digits are the most
      fc.constantFrom(-1, 0, 20_999, 21_000, 345_599_999, 345_600_000).map(fromNow => ({
        N: `${clock.now() + fromNow}.5${'0'.repeat(23)}1`,
      })),
    )
    const items = fc.record({
      v: fc.oneof(fc.constant({ N: '1' }), anything),
      version: fc.oneof(fc.constantFrom({ S: 'theirs' }, { S: '' }), anything),
      bytes: fc.oneof(fc.constantFrom({ B: Buffer.from('x') }, { B: Buffer.alloc(0) }), anything),
      expiresAt: fc.oneof(times, anything),
      keepUntil: fc.oneof(times, anything),
    })
    await fc.assert(
      fc.asyncProperty(items, async item => {
        await putAttributes(item)
        store = openStore(clock)
        const record = await store.read('k').catch(cause => {
          expect(cause).toBeInstanceOf(UnreadableRecord)
          expect(cause.reason).not.toContain(word.S)
          return clock.advance(16_000)
        })
        expect(await write(record?.version ?? 'absent', { text: 'mine' })).not.toBe('conflict')
        expect(await readText()).toBe('mine')
      }),
      { numRuns: 150 },
    )
  })

  test('of a later format by an instance whose clock is 2 s ahead is left alone, for 16 s in all', async () => {
    await putAttributes({ ...record(2), keepUntil: ms(18_000) })
    for (const call of [() => store.read('k'), () => write('absent')])
      expect(await failureOf(call())).toBeInstanceOf(UnreadableRecord)
    await clock.advance(16_000)
    expect(await store.read('k')).toBeUndefined()
    expect(await write('absent')).not.toBe('conflict')
  })

  test('of a later format denies nothing after 16 s, though somebody puts another one there again and again', async () => {
    const start = clock.now()
    for (let second = 0; second < 60; second++) {
      await putAttributes({ ...record(2), keepUntil: ms(16_000) })
      const isWritten = await write('absent').then(
        version => version !== 'conflict',
        () => false,
      )
      expect(isWritten).toBe(clock.now() - start >= 16_000)
      await clock.advance(1000)
    }
  })
})

test('a write that meets a transaction on its item is a conflict, not a failure of DynamoDB', async () => {
  const client = createClient(clock)
  const send = client.send.bind(client) as (command: unknown) => Promise<unknown>
  const conflict = Object.assign(new Error('a message of AWS'), { name: 'TransactionConflictException' })
  client.send = (command: unknown) =>
    command instanceof PutItemCommand ? Promise.reject(conflict) : send(command)
  const to = createDynamodbStore({ client, table: 'jeton', clock })
  expect(await write('absent', { to })).toBe('conflict')
})

describe('a failure', () => {
  test.each([
    ['gone', () => Object.assign(dynamodb.faults, { gone: true }), /TimeoutError ECONNRESET/],
    [
      'throttling',
      () => Object.assign(dynamodb.faults, { throttle: true }),
      /ThroughputExceededException \(400\)/,
    ],
    [
      'failing',
      () => Object.assign(dynamodb.faults, { fail: true }),
      /InternalServerError \(500\), request STANDIN/,
    ],
    ['too slow', () => Object.assign(dynamodb.faults, { delayMs: 10_000 }), /TimeoutError/],
  ])('of a DynamoDB that is %s is temporarily_unavailable, and passes', async (_what, breakDown, reason) => {
    breakDown()
    const failure = await failureOf(store.read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    expect(failure.reason).toMatch(reason)
    expect(failure.reason).toContain('table jeton in us-east-1')
    expect(failure).not.toBeInstanceOf(UnreadableRecord)
    Object.assign(dynamodb.faults, { gone: false, throttle: false, fail: false, delayMs: 0 })
    expect(await store.read('k')).toBeUndefined()
  })

  test.each([
    ['AccessDeniedException', /dynamodb:GetItem and dynamodb:PutItem/],
    ['UnrecognizedClientException', /does not know the access key/],
    ['ValidationException', /pk and sk/],
  ])('that an operator must fix says how: %s', async (refuse, remedy) => {
    Object.assign(dynamodb.faults, { refuse })
    const failure = await failureOf(store.read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
    expect(failure.reason).toMatch(remedy)
  })

  test('of a missing table names the table, the region and what to do', async () => {
    const { reason } = await failureOf(openStore(clock, 'nowhere').read('k'))
    expect(reason).toMatch(/table nowhere in us-east-1: ResourceNotFoundException.*no such table/)
  })

  test('for want of a region says what to set', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const { reason } = await failureOf(openStore(clock).read('k'))
    expect(reason).toContain('set AWS_REGION')
  })

  test("to find jeton's own credentials says so, and a search that hangs ends at the deadline", async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const { reason } = await failureOf(openStore(clock).read('k'))
    expect(reason).toMatch(/CredentialsProviderError; jeton finds no AWS credentials/)

    await hangCredentialSearch()
    const failure = await failureOf(openStore(clock).read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
  })

  test('shows no secret, not even when AWS quotes the signed request', async () => {
    await store.read('k')
    const secrets = [/Signature=/, /AKIATEST/, /AWS4-HMAC/, /secret-text/]
    for (const refuse of ['InvalidSignatureException', 'AccessDeniedException']) {
      Object.assign(dynamodb.faults, { refuse })
      for (const call of [() => store.read('k'), () => write('absent', { text: 'secret-text' })]) {
        const { message, publicMessage, reason, stack, cause } = await failureOf(call())
        for (const secret of secrets)
          expect([message, publicMessage, reason, stack, String(cause)].join()).not.toMatch(secret)
      }
    }
  })
})

test("createDynamodbClient passes DynamoDB's Date to the clock, that of errors too", async () => {
  dynamodb.faults.dateOffsetMs = 300_000
  await store.read('k')
  Object.assign(dynamodb.faults, { refuse: 'AccessDeniedException', dateOffsetMs: -300_000 })
  await failureOf(store.read('k'))
  const offsets = clock.observed.map(date => Math.round((date.getTime() - Date.now()) / 60_000))
  expect([...new Set(offsets)]).toEqual([5, -5])
})
