import { watchOwnAccess } from '../src/aws/own-access.ts'
import type { Config } from '../src/config/config.ts'
import { environmentRegion } from '../src/config/environment.ts'
import { findPartsWithoutRegion, isAwsNeeded } from '../src/config/needed-region.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import type { Environment } from '../src/lib/process-input.ts'
import { memoizeAsync } from '../src/lib/single-flight.ts'
import type { Health } from '../src/telemetry/health.ts'
import type { Log } from '../src/telemetry/log.ts'

/** For what is asked before a configuration names one: STS then only tells what the environment has. */
const ANY_REGION = 'us-east-1'

/**
 * Throws, and logs why, if a table has no region, neither by the configuration nor by the SDK's environment: without it no
 * token could ever be vended, and only a new start changes that.
 */
export async function requireRegion(
  config: Config,
  { env, log }: { env: Environment; log: Log },
): Promise<void> {
  const parts = findPartsWithoutRegion(config)
  if (parts.length === 0 || environmentRegion(env) !== undefined) return
  const { openOwnAccess } = await import('../src/aws/sts.ts')
  // a profile may name one, too
  const access = await openOwnAccess({ region: ANY_REGION, clock: systemClock() })
  if (access.environmentRegion !== undefined) return
  const remedy = 'set AWS_REGION, or `region` beside each table'
  log.error(
    { event: 'aws_region_missing', parts },
    `no AWS region is known for what parts names: ${remedy}; jeton cannot start`,
  )
  throw new Error(`no AWS region is known for ${parts.join(', ')}: ${remedy}`)
}

/** Says, and says again, while jeton has no AWS credentials of its own. Returns at once, with a function that ends it. */
export function watchAccess(config: Config, parts: { clock: Clock; health: Health; log: Log }): () => void {
  if (!isAwsNeeded(config)) return () => {}
  const region = config.databases[0]?.region ?? ANY_REGION
  const openAccess = memoizeAsync(async () => {
    const { openOwnAccess } = await import('../src/aws/sts.ts')
    return openOwnAccess({ region, clock: parts.clock })
  })
  return watchOwnAccess({ ...parts, openAccess })
}
