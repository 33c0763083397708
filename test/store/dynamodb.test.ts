import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import type { JetonError } from '../../src/errors.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createDynamodbStore } from '../../src/store/dynamodb.ts'
import type { Store } from '../../src/store/store.ts'
import { isUnreadableRecord } from '../../src/store/unreadable-record.ts'
import { describeStore } from '../contracts/stores.ts'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

let dynamodb: Dynamodb
let clock: VirtualClock
let store: Store
let clients: ReturnType<typeof createDynamodbClient>[]

beforeEach(async () => {
  dynamodb = await startDynamodb()
  for (const [name, value] of Object.entries(dynamodb.environment())) vi.stubEnv(name, value)
  clients = []
  clock = virtualClock()
  store = openShelf(clock)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const client of clients) client.destroy()
  await dynamodb.close()
})

function clientOf(clock: Clock) {
  const client = createDynamodbClient({ clock })
  clients.push(client)
  return client
}

function openShelf(clock: Clock, table = 'jeton'): Store {
  return createDynamodbStore({ client: clientOf(clock), table, clock })
}

const put = (expectedVersion: string, { text = 'text', forMs = 60_000, on = store, at = clock.now() } = {}) =>
  on.compareAndSwap({ key: 'k', bytes: Buffer.from(text), expectedVersion, expiresAt: at + forMs })
const textOf = async (on = store) => Buffer.from((await on.read('k'))?.bytes ?? []).toString()
const failureOf = (call: Promise<unknown>): Promise<JetonError> =>
  call.then(
    () => expect.fail('it did not fail'),
    cause => cause,
  )
/** The operations since the last call of this. */
function operations(): string[] {
  return dynamodb.calls.splice(0).map(({ operation }) => operation)
}

describeStore('in DynamoDB', async clock => [openShelf(clock), openShelf(clock)])

test('puts items that DynamoDB deletes only when they are surely of no use', async () => {
  const now = clock.now()
  await store.compareAndSwap({
    key: 'k',
    bytes: Buffer.from('x'),
    expectedVersion: 'absent',
    expiresAt: now + 1,
    keepUntil: now + 90_000.5,
  })
  const [item] = await dynamodb.items('jeton')
  expect(item).toEqual({
    pk: 'k',
    sk: 'record',
    v: 1,
    version: expect.stringMatching(/^[\w-]{22}$/),
    bytes: expect.anything(),
    expiresAt: now + 1,
    keepUntil: now + 90_000.5,
    ttl: now / 1000 + 91 + 3600,
  })
})

describe('a swap whose reply was lost', () => {
  test('and asked again by the SDK is kept by whom it belongs to', async () => {
    await store.read('k')
    operations()
    dynamodb.faults.dropReply(1)
    const first = await put('absent', { text: 'first' })
    expect(first).not.toBe('conflict')
    expect(operations()).toEqual(['PutItem', 'PutItem', 'GetItem'])
    dynamodb.faults.dropReply(1)
    const second = await put(first, { text: 'second' })
    expect((await store.read('k'))?.version).toBe(second)
    expect(await textOf()).toBe('second')
  })

  test('is a conflict where another was first', async () => {
    const theirs = await put('absent', { text: 'theirs' })
    dynamodb.faults.dropReply(1)
    expect(await put('absent', { text: 'mine' })).toBe('conflict')
    expect((await store.read('k'))?.version).toBe(theirs)
  })

  test('each time is not known to have failed: it rejects, and stands all the same', async () => {
    await store.read('k')
    dynamodb.faults.dropReply(2)
    await expect(put('absent')).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(await textOf()).toBe('text')
  })
})

test('an expired item that is still in the table is absent, and is replaced where it lies', async () => {
  const first = await put('absent', { forMs: 1000 })
  await clock.advance(1000)
  expect(await dynamodb.items('jeton')).toHaveLength(1)
  expect(await store.read('k')).toBeUndefined()
  expect(await put(first)).toBe('conflict')
  expect(await put('absent', { text: 'new' })).not.toBe('conflict')
  expect(await textOf()).toBe('new')
})

test('a clock that is ahead takes no live record for expired, be the swap its first call', async () => {
  const ahead = systemClock()
  const theirs = virtualClock(Date.now() - 120_000)
  dynamodb.faults.dateOffsetMs = -120_000
  await put('absent', { text: 'live', on: openShelf(theirs), at: theirs.now() })
  const late = await put('absent', { text: 'late', on: openShelf(ahead), at: ahead.now() })
  expect(late).toBe('conflict')
  expect(await textOf(openShelf(theirs))).toBe('live')
})

describe('an item', () => {
  const write = (attributes: PutItemCommand['input']['Item']) =>
    clientOf(clock).send(
      new PutItemCommand({
        TableName: 'jeton',
        Item: { pk: { S: 'k' }, sk: { S: 'record' }, ...attributes },
      }),
    )
  const ms = (fromNow: number) => ({ N: String(clock.now() + fromNow) })
  const record = (v: number) => ({
    v: { N: String(v) },
    version: { S: 'theirs' },
    bytes: { B: Buffer.from('theirs') },
    expiresAt: ms(60_000),
  })

  test('with attributes of a newer release is read and replaced as any other', async () => {
    await write({ ...record(1), colour: { S: 'green' } })
    expect(await textOf()).toBe('theirs')
    expect(await put('theirs', { text: 'mine' })).not.toBe('conflict')
    expect(await textOf()).toBe('mine')
  })

  test('in the format of a newer release is left alone while it is of use, and says why', async () => {
    await write({ ...record(2), keepUntil: ms(5000) })
    const before = await dynamodb.items('jeton')
    for (const call of [() => store.read('k'), () => put('absent'), () => put('theirs')]) {
      const failure = await failureOf(call())
      expect(isUnreadableRecord(failure)).toBe(true)
      expect(failure.code).toBe('temporarily_unavailable')
      expect(failure.reason).toMatch(/record k .* format 2 of a newer release.*until 2026-11-23T10:00:05/)
    }
    await clock.advance(4999)
    await expect(put('absent')).rejects.toThrow('newer release')
    expect(await dynamodb.items('jeton')).toEqual(before)
  })

  test.each([
    ['past its keepUntil', 5000],
    ['that is not to be kept', undefined],
  ])('in that format %s is as good as absent', async (_what, keptMs) => {
    await write({ ...record(2), ...(keptMs === undefined ? {} : { keepUntil: ms(keptMs) }) })
    await clock.advance(keptMs ?? 0)
    expect(await store.read('k')).toBeUndefined()
    expect(await put('theirs')).toBe('conflict')
    expect(await put('absent', { text: 'mine' })).not.toBe('conflict')
    expect(await textOf()).toBe('mine')
  })

  test('that names no format is as good as absent', async () => {
    await write({ note: { S: 'by hand' } })
    expect(await store.read('k')).toBeUndefined()
    expect(await put('absent')).not.toBe('conflict')
  })

  test('with parts missing is told, not overwritten', async () => {
    await write({ v: { N: '1' }, expiresAt: ms(1000) })
    await expect(store.read('k')).rejects.toThrow('parts of it are missing')
    await expect(put('absent')).rejects.toThrow('parts of it are missing')
    await clock.advance(1000)
    expect(await store.read('k')).toBeUndefined()
  })
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
  ])('of a DynamoDB that is %s is temporarily_unavailable, and passes', async (_what, breakDown, told) => {
    breakDown()
    const failure = await failureOf(store.read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    expect(failure.reason).toMatch(told)
    expect(failure.reason).toContain('table jeton in us-east-1')
    expect(isUnreadableRecord(failure)).toBe(false)
    Object.assign(dynamodb.faults, { gone: false, throttle: false, fail: false, delayMs: 0 })
    expect(await store.read('k')).toBeUndefined()
  })

  test.each([
    ['AccessDeniedException', /dynamodb:GetItem and dynamodb:PutItem/],
    ['UnrecognizedClientException', /renew them/],
    ['ValidationException', /pk and sk/],
  ])('that an operator has to mend says how: %s', async (refuse, told) => {
    Object.assign(dynamodb.faults, { refuse })
    const failure = await failureOf(store.read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
    expect(failure.reason).toMatch(told)
  })

  test('of a table that is not there says so, and where it was looked for', async () => {
    const { reason } = await failureOf(openShelf(clock, 'nowhere').read('k'))
    expect(reason).toMatch(/table nowhere in us-east-1 .*ResourceNotFoundException.*no such table/)
  })

  test('to find a region says so', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const { reason } = await failureOf(openShelf(clock).read('k'))
    expect(reason).toContain('set AWS_REGION')
  })

  test("to find credentials of jeton's own says so, and one that takes for ever ends before long", async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const { reason } = await failureOf(openShelf(clock).read('k'))
    expect(reason).toMatch(/CredentialsProviderError; jeton finds no AWS credentials/)

    const folder = await mkdtemp(join(tmpdir(), 'jeton-aws-'))
    await writeFile(join(folder, 'config'), '[default]\ncredential_process = sleep 20\n')
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    const failure = await failureOf(openShelf(clock).read('k'))
    expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
    await rm(folder, { recursive: true })
  })

  test('shows no secret, not even where AWS quotes the signed request', async () => {
    await store.read('k')
    const secrets = [/Signature=/, /AKIATEST/, /AWS4-HMAC/, /sealed-text/]
    for (const refuse of ['InvalidSignatureException', 'AccessDeniedException']) {
      Object.assign(dynamodb.faults, { refuse })
      for (const call of [() => store.read('k'), () => put('absent', { text: 'sealed-text' })]) {
        const { message, publicMessage, reason, stack, cause } = await failureOf(call())
        for (const secret of secrets)
          expect([message, publicMessage, reason, stack, String(cause)].join()).not.toMatch(secret)
      }
    }
  })
})

test("tells the clock DynamoDB's Date, that of errors too", async () => {
  dynamodb.faults.dateOffsetMs = 300_000
  await store.read('k')
  Object.assign(dynamodb.faults, { refuse: 'AccessDeniedException', dateOffsetMs: -300_000 })
  await failureOf(store.read('k'))
  const offsets = clock.observed.map(date => Math.round((date.getTime() - Date.now()) / 60_000))
  expect([...new Set(offsets)]).toEqual([5, -5])
})
