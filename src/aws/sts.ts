import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { withSecondCall } from '../lib/second-call.ts'
import { singleFlight } from '../lib/single-flight.ts'
import { createClient, LONG_CALLS, RESEND_AFTER_MS } from './client.ts'
import { isAwsReply } from './error-facts.ts'
import { findRegion } from './errors.ts'
import { describeMissingCredentials } from './missing-credentials.ts'
import type { OwnAccess } from './own-access.ts'
import { createSdkLogger, type SdkLogger } from './sdk-logger.ts'

/** The call to AWS STS that jeton makes. */
export interface Sts {
  /** Resolves when the SDK has found jeton's own credentials, which `assumeRole` then uses. Has no deadline: it may hang. */
  findCredentials(): Promise<void>
  /** Sends the request once more beside if it has no reply after 2.5 s. Rejects with the SDK's errors. Has no deadline. */
  assumeRole(input: AssumeRoleCommandInput, abortSignal: AbortSignal): Promise<AssumeRoleCommandOutput>
}

export interface StsOptions {
  /** Where calls go if the SDK's environment names no region. */
  region: string
  clock: Clock
}

/** Returns a client for STS. Its calls go to the region that the SDK's environment names, or else to `region`. */
export async function createStsClient(options: StsOptions): Promise<Sts> {
  const { client } = await openClient(options)
  const { clock } = options
  return {
    findCredentials: () => findCredentials(client),
    assumeRole(input, abortSignal) {
      const send = (signal: AbortSignal) =>
        client.send(new AssumeRoleCommand(input), { abortSignal: AbortSignal.any([signal, abortSignal]) })
      return withSecondCall(send, { clock, afterMs: RESEND_AFTER_MS, isAnswer: isAwsReply })
    },
  }
}

/** Returns what the SDK finds in its environment for jeton itself, as `createStsClient` uses it. */
export async function openOwnAccess(options: StsOptions): Promise<OwnAccess> {
  let said: string[] = []
  const logger = createSdkLogger({ onDebug: text => void said.push(text) })
  const { client, environmentRegion } = await openClient({ ...options, logger })
  return {
    environmentRegion,
    config: client.config,
    // one at a time, for they all share what was said
    whyNoCredentials: singleFlight(async () => {
      said = []
      try {
        await withDeadline(LONG_CALLS.deadlineMs, () => findCredentials(client))
        return undefined
      } catch (cause) {
        return describeMissingCredentials(cause, said)
      }
    }),
    async getCallerIdentity(abortSignal) {
      const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal })
      if (!Account || !Arn) throw new TypeError('STS replied without an identity')
      return { account: Account, arn: Arn }
    },
  }
}

async function findCredentials({ config }: STSClient): Promise<void> {
  await config.credentials()
}

async function openClient({ region, ...others }: StsOptions & { logger?: SdkLogger }) {
  const options = { limits: LONG_CALLS, ...others }
  const environmentClient = createClient(STSClient, options)
  const environmentRegion = await findRegion(environmentClient)
  const client =
    environmentRegion === undefined ? createClient(STSClient, { ...options, region }) : environmentClient
  return { client, environmentRegion }
}
