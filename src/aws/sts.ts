import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts'
import type { Clock } from '../lib/clock.ts'
import { createClient, LONG_CALLS } from './client.ts'
import { findRegion } from './errors.ts'

/** The call to AWS STS that jeton makes. */
export interface Sts {
  /** Rejects with the SDK's errors. Has no deadline of its own. */
  assumeRole(input: AssumeRoleCommandInput, abortSignal: AbortSignal): Promise<AssumeRoleCommandOutput>
}

/** Returns a client for STS. Its calls go to the region that the SDK's environment names, or else to `region`. */
export async function createStsClient({ region, clock }: { region: string; clock: Clock }): Promise<Sts> {
  const environmentClient = createClient(STSClient, { limits: LONG_CALLS, clock })
  const hasRegion = (await findRegion(environmentClient)) !== undefined
  const client = hasRegion
    ? environmentClient
    : createClient(STSClient, { limits: LONG_CALLS, clock, region })
  return {
    assumeRole: (input, abortSignal) => client.send(new AssumeRoleCommand(input), { abortSignal }),
  }
}
