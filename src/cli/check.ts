import { periodOf } from '../authorization/grant-times.ts'
import type { Config } from '../config/config.ts'
import { findRegionProblems } from '../config/environment.ts'
import { type ExaminedConfig, examineConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { countText } from '../lib/count-text.ts'
import { readEgressProxies } from '../lib/egress-proxies.ts'
import type { Environment } from '../lib/process-input.ts'
import { problemReport } from './problem-report.ts'
import type { CommandOutput } from './streams.ts'

export interface CheckArguments {
  configPath: string
  /** Whether warnings fail too. */
  strict?: boolean | undefined
  /** Tries what a sound configuration names, and returns the exit code; default: nothing is tried. */
  goLive?: ((config: Config) => Promise<0 | 1>) | undefined
  /** Compares a sound configuration with what a log has, and returns the exit code; default: nothing is compared. */
  goAgainst?: ((config: Config) => Promise<number>) | undefined
  /** Whether stdout is for what `goAgainst` prints alone. */
  isQuiet?: boolean | undefined
  /** Checked too, for the proxies and the region that it names; nothing of it unless given. */
  env?: Environment
  /** The time in milliseconds; default: the machine's. */
  now?: number | undefined
}

/**
 * `jeton check`: prints what a sound configuration has on stdout, and on stderr every problem and what is doubtful, in the
 * order of the file. Returns the exit code: 0, or 1 if there are problems or, with `strict`, warnings, or 3 if callers of a log would
 * lose what they had.
 */
export async function checkCommand(
  {
    configPath,
    strict = false,
    goLive,
    goAgainst,
    isQuiet = false,
    env = {},
    now = Date.now(),
  }: CheckArguments,
  { stdout, stderr }: CommandOutput,
): Promise<number> {
  const examined = await examine(configPath)
  const { config, warnings } = examined
  const problems = [...readEgressProxies(env).problems, ...findRegionProblems(env), ...examined.problems]
  stderr.write(await problemReport({ ...examined, problems, strict }))
  if (config === undefined || problems.length > 0) return 1
  const isDoubted = strict && warnings.length > 0
  if (!isDoubted && !isQuiet) stdout.write(`ok: ${contentsText(config, now)}\n`)
  const live = (await goLive?.(config)) ?? 0
  const compared = (await goAgainst?.(config)) ?? 0
  return isDoubted ? 1 : live || compared
}

type Examined = Pick<ExaminedConfig, 'config' | 'problems' | 'warnings'> & { readonly text?: string }

/** A configuration that cannot be read is one with a problem, and without a text. */
async function examine(configPath: string): Promise<Examined> {
  try {
    return await examineConfig(configPath)
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    return { config: undefined, problems: cause.problems, warnings: [] }
  }
}

function contentsText({ databases, issuers, apiKeys, grants }: Config, now: number): string {
  return [
    countText(databases.length, 'database'),
    countText(issuers.length, 'issuer'),
    countText(Object.keys(apiKeys).length, 'API key'),
    `${countText(grants.length, 'grant')}${timesText(grants, now)}`,
  ].join(', ')
}

/** Empty if all of the grants are in force. */
function timesText(grants: Config['grants'], now: number): string {
  const periods = grants.map(periodOf).filter(period => period !== undefined)
  const later = periods.filter(({ from }) => from > now).length
  const ended = periods.filter(({ end }) => end <= now).length
  const parts = [
    ...(later > 0 ? [`${later} not yet in force`] : []),
    ...(ended > 0 ? [`${ended} ended`] : []),
  ]
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}
