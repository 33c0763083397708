import { onTestFinished, vi } from 'vitest'
import { createDynamodbSink, type DynamodbSinkOptions } from '../../../src/audit/dynamodb/sink.ts'
import type { Sink } from '../../../src/audit/sink.ts'
import { createDynamodbClient } from '../../../src/aws/dynamodb.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { type Dynamodb, startDynamodb } from '../../support/aws/dynamodb.ts'
import { stubEnvironment } from '../../support/aws/stub-environment.ts'

export const TABLE = 'jeton-audit'

/** Starts a DynamoDB for one test, which clients find by the environment as in production. */
export async function startOwnDynamodb(): Promise<Dynamodb> {
  const dynamodb = await startDynamodb()
  stubEnvironment(dynamodb.environment())
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await dynamodb.close()
  })
  return dynamodb
}

/** Creates a client that is destroyed when the test is over. */
export function createClient() {
  const client = createDynamodbClient({ clock: systemClock() })
  onTestFinished(() => client.destroy())
  return client
}

export function createSink(options: Partial<DynamodbSinkOptions> = {}): Sink {
  const parts = { client: createClient(), table: TABLE, clock: systemClock(), random: Math.random }
  return createDynamodbSink({ ...parts, ...options })
}
