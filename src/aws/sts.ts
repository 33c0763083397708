import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts'
import type { Clock } from '../lib/clock.ts'
import { observeDates } from './observe-dates.ts'

const CONNECT_TIMEOUT_MS = 1000
const ANSWER_TIMEOUT_MS = 2500
const ATTEMPTS = 2

export interface Sts {
  /** Rejects with the SDK's errors. */
  assumeRole(input: AssumeRoleCommandInput, abortSignal: AbortSignal): Promise<AssumeRoleCommandOutput>
}

/**
 * A client for STS. The SDK finds credentials, region and endpoint in its own environment; where that names no region,
 * `region` is asked.
 */
export async function createStsClient({ region, clock }: { region: string; clock: Clock }): Promise<Sts> {
  const settings = {
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  }
  const fromEnvironment = new STSClient(settings)
  const named = await fromEnvironment.config.region().then(
    () => true,
    () => false,
  )
  const client = named ? fromEnvironment : new STSClient({ ...settings, region })
  observeDates(client, clock)
  return {
    assumeRole: (input, abortSignal) => client.send(new AssumeRoleCommand(input), { abortSignal }),
  }
}
