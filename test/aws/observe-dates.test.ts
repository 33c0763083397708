import { createServer } from 'node:http'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { observeDates } from '../../src/aws/observe-dates.ts'
import { type LoopbackServer, listenOnLoopback } from '../../src/dev/loopback-server.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const AHEAD_MS = 10 * 60_000

let listener: LoopbackServer
let clock: VirtualClock
/** The statuses of the server's replies, in order; the last one is repeated. */
let statuses: number[]
let date: string | undefined
let servedCount: number

beforeEach(async () => {
  clock = virtualClock()
  statuses = [200]
  servedCount = 0
  date = new Date(Date.now() + AHEAD_MS).toUTCString()
  const server = createServer((_request, response) => {
    servedCount++
    const [status = 200] = statuses.length > 1 ? statuses.splice(0, 1) : statuses
    response.sendDate = false
    response.writeHead(status, date === undefined ? {} : { date }).end()
  })
  listener = await listenOnLoopback(server)
})

afterEach(() => listener.close())

function settings() {
  return {
    endpoint: listener.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
    maxAttempts: 2,
  }
}

const identity = (client: STSClient) => client.send(new GetCallerIdentityCommand({})).catch(() => {})

test('observeDates passes the Date of each reply to the clock, for any client', async () => {
  const sts = new STSClient(settings())
  const dynamodb = new DynamoDBClient(settings())
  const kms = new KMSClient(settings())
  for (const client of [sts, dynamodb, kms]) observeDates(client, clock)
  await identity(sts)
  await dynamodb.send(new GetItemCommand({ TableName: 'jeton', Key: { pk: { S: 'a' } } })).catch(() => {})
  await kms.send(new ListKeysCommand({})).catch(() => {})
  expect(clock.observed.map(observed => observed.toUTCString())).toEqual([date, date, date])
})

test.each([400, 403])('observeDates passes the Date of an error too (%i)', async status => {
  statuses = [status]
  const sts = new STSClient({ ...settings(), maxAttempts: 1 })
  observeDates(sts, clock)
  await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toThrow()
  expect(clock.observed).toHaveLength(1)
})

test('observeDates observes each attempt, from before its request is sent', async () => {
  statuses = [500, 200]
  const servedBefore: number[] = []
  const sts = new STSClient(settings())
  observeDates(sts, {
    ...clock,
    observe() {
      const before = servedCount
      return () => void servedBefore.push(before)
    },
  })
  await identity(sts)
  expect(servedBefore).toEqual([0, 1])
})

test('observeDates corrects a real clock by one reply, even if it is an error', async () => {
  statuses = [403]
  const corrections: number[] = []
  const clock = systemClock({ onCorrected: offsetMs => corrections.push(offsetMs) })
  const sts = new STSClient(settings())
  observeDates(sts, clock)
  await identity(sts)
  expect(corrections).toHaveLength(1)
  expect(Math.abs(clock.now() - Date.now() - AHEAD_MS)).toBeLessThan(60_000)
})

test('observeDates observes nothing of a reply without a Date, nor if no reply comes', async () => {
  date = undefined
  const sts = new STSClient(settings())
  observeDates(sts, clock)
  await identity(sts)
  const unreachable = new STSClient({ ...settings(), endpoint: 'http://127.0.0.1:1' })
  observeDates(unreachable, clock)
  await expect(unreachable.send(new GetCallerIdentityCommand({}))).rejects.toThrow()
  expect(clock.observed).toEqual([])
})
