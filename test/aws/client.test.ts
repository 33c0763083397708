import { STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { createClient, createClientSettings, SHORT_CALLS } from '../../src/aws/client.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

test('createClientSettings limits each of two attempts, and names a region only if it is given one', () => {
  const settings = {
    maxAttempts: 2,
    ignoreCache: true,
    logger: expect.any(Object),
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  }
  expect(createClientSettings({ limits: SHORT_CALLS })).toStrictEqual(settings)
  expect(createClientSettings({ limits: SHORT_CALLS, region: 'us-east-1' })).toStrictEqual({
    region: 'us-east-1',
    ...settings,
  })
})

test('createClient returns a client in the region that makes two attempts and passes dates to the clock', async () => {
  const client = createClient(STSClient, {
    limits: SHORT_CALLS,
    clock: virtualClock(),
    region: 'eu-west-1',
  })
  expect(await client.config.region()).toBe('eu-west-1')
  expect(await client.config.maxAttempts()).toBe(2)
  expect(client.middlewareStack.identify().join()).toContain('observeDates')
  client.destroy()
})
