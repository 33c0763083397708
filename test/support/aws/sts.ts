import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { awsEnvironment } from '../../../src/dev/aws/environment.ts'
import { type StsStandIn, startStsStandIn } from '../../../src/dev/aws/sts.ts'
import type { AwsError } from '../../../src/dev/aws/sts-request.ts'
import { faultOf } from './sts-assume-role.ts'

export { CALLER_ARN, type StsCall } from '../../../src/dev/aws/sts.ts'

/** Faults that a test can set and clear at any time. */
export interface StsFaults {
  /** Roles (ARNs) that may not be assumed: 403 AccessDenied. */
  readonly deniedRoles: Set<string>
  /** The external id that a role (ARN) requires: 403 AccessDenied without it. */
  readonly externalIds: Map<string, string>
  /** 400 Throttling. */
  throttling: boolean
  /** 500 InternalFailure. */
  failing: boolean
  /** Any other error of AWS, for each request. */
  error: AwsError | undefined
  /** Requests are never answered, even after this is cleared. */
  hanging: boolean
  delayMs: number
  /** The lifetime of new sessions, whatever was requested. */
  lifetimeMs: number | undefined
  /** How far STS's clock is ahead of `now`: in `Date`, in expiries and in which signatures are too old. */
  clockShiftMs: number
}

export interface Sts extends StsStandIn {
  readonly faults: StsFaults
  /** Environment variables that lead a process to this STS and to nothing else of AWS. */
  environment(): Record<string, string>
}

/** Starts the stand-in of `jeton serve --dev`, where every role can be assumed unless `faults` says otherwise. */
export async function startSts({
  now = Date.now,
  region = 'us-east-1',
  sessionTokenLength = 1000,
}: {
  now?: () => number
  region?: string
  sessionTokenLength?: number
} = {}): Promise<Sts> {
  const faults: StsFaults = {
    deniedRoles: new Set(),
    externalIds: new Map(),
    throttling: false,
    failing: false,
    error: undefined,
    hanging: false,
    delayMs: 0,
    lifetimeMs: undefined,
    clockShiftMs: 0,
  }
  const standIn = await startStsStandIn({
    now: () => now() + faults.clockShiftMs,
    region,
    sessionTokenLength,
    async delay(stopped) {
      // each request that waits listens
      setMaxListeners(0, stopped)
      if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped })
    },
    isHanging: () => faults.hanging,
    refuse: call => faultOf(call, faults),
    lifetimeMs: () => faults.lifetimeMs,
  })
  return {
    ...standIn,
    faults,
    environment: () => ({
      ...awsEnvironment({ region, ...standIn.credentials }),
      AWS_ENDPOINT_URL_STS: standIn.url,
    }),
  }
}
