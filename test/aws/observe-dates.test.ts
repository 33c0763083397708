import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { observeDates } from '../../src/aws/observe-dates.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const AHEAD_MS = 10 * 60_000

let server: Server
let clock: VirtualClock
/** How the server answers one request after another; the last goes on. */
let statuses: number[]
let date: string | undefined
let served: number

beforeEach(async () => {
  clock = virtualClock()
  statuses = [200]
  served = 0
  date = new Date(Date.now() + AHEAD_MS).toUTCString()
  server = createServer((_request, response) => {
    served++
    const [status = 200] = statuses.length > 1 ? statuses.splice(0, 1) : statuses
    response.sendDate = false
    response.writeHead(status, date === undefined ? {} : { date }).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})

afterEach(
  () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
)

function settings() {
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
    maxAttempts: 2,
  }
}

const identity = (client: STSClient) => client.send(new GetCallerIdentityCommand({})).catch(() => {})

test('tells the clock the date of each reply, of any client', async () => {
  const sts = new STSClient(settings())
  const dynamodb = new DynamoDBClient(settings())
  const kms = new KMSClient(settings())
  for (const client of [sts, dynamodb, kms]) observeDates(client, clock)
  await identity(sts)
  await dynamodb.send(new GetItemCommand({ TableName: 'jeton', Key: { pk: { S: 'a' } } })).catch(() => {})
  await kms.send(new ListKeysCommand({})).catch(() => {})
  expect(clock.observed.map(seen => seen.toUTCString())).toEqual([date, date, date])
})

test.each([400, 403])('tells that of an error too (%i)', async status => {
  statuses = [status]
  const sts = new STSClient({ ...settings(), maxAttempts: 1 })
  observeDates(sts, clock)
  await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toThrow()
  expect(clock.observed).toHaveLength(1)
})

test('tells that of each attempt, and that it began before the request was sent', async () => {
  statuses = [500, 200]
  const servedBefore: number[] = []
  const sts = new STSClient(settings())
  observeDates(sts, {
    ...clock,
    observe() {
      const before = served
      return () => void servedBefore.push(before)
    },
  })
  await identity(sts)
  expect(servedBefore).toEqual([0, 1])
})

test('corrects a real clock by one reply that refuses', async () => {
  statuses = [403]
  const told: number[] = []
  const real = systemClock({ onCorrected: offsetMs => told.push(offsetMs) })
  const sts = new STSClient(settings())
  observeDates(sts, real)
  await identity(sts)
  expect(told).toHaveLength(1)
  expect(Math.abs(real.now() - Date.now() - AHEAD_MS)).toBeLessThan(60_000)
})

test('does without a date, and without a reply', async () => {
  date = undefined
  const sts = new STSClient(settings())
  observeDates(sts, clock)
  await identity(sts)
  const gone = new STSClient({ ...settings(), endpoint: 'http://127.0.0.1:1' })
  observeDates(gone, clock)
  await expect(gone.send(new GetCallerIdentityCommand({}))).rejects.toThrow()
  expect(clock.observed).toEqual([])
})
