import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts'
import type { Clock } from '../lib/clock.ts'
import { createClient } from './client.ts'
import { findRegion } from './errors.ts'

const TIMEOUTS = { connectTimeoutMs: 1000, responseTimeoutMs: 2500 }

export interface Sts {
  /** Rejects with the SDK's errors. Has no deadline of its own. */
  assumeRole(input: AssumeRoleCommandInput, abortSignal: AbortSignal): Promise<AssumeRoleCommandOutput>
}

/** Returns a client for STS. It asks the region that the SDK's environment names, or else `region`. */
export async function createStsClient({ region, clock }: { region: string; clock: Clock }): Promise<Sts> {
  const environmentClient = createClient(STSClient, { ...TIMEOUTS, clock })
  const hasRegion = (await findRegion(environmentClient)) !== undefined
  const client = hasRegion ? environmentClient : createClient(STSClient, { ...TIMEOUTS, clock, region })
  return {
    assumeRole: (input, abortSignal) => client.send(new AssumeRoleCommand(input), { abortSignal }),
  }
}
