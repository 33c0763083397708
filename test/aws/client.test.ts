import { STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { createClient, createClientSettings } from '../../src/aws/client.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const TIMEOUTS = { connectTimeoutMs: 500, responseTimeoutMs: 1000 }

test('createClientSettings limits each of two attempts, and names a region only if it is given one', () => {
  const settings = {
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  }
  expect(createClientSettings(TIMEOUTS)).toStrictEqual(settings)
  expect(createClientSettings({ ...TIMEOUTS, region: 'us-east-1' })).toStrictEqual({
    region: 'us-east-1',
    ...settings,
  })
})

test('createClient returns a client in the region that makes two attempts and passes dates to the clock', async () => {
  const client = createClient(STSClient, { ...TIMEOUTS, clock: virtualClock(), region: 'eu-west-1' })
  expect(await client.config.region()).toBe('eu-west-1')
  expect(await client.config.maxAttempts()).toBe(2)
  expect(client.middlewareStack.identify().join()).toContain('observeDates')
  client.destroy()
})
