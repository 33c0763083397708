import type { Log } from '../telemetry/log.ts'
import type { Config } from './config.ts'
import { ConfigError, type Problem } from './problems.ts'
import { restartOnlyChanges } from './what-stays.ts'

export interface Reloading {
  /** What the process was started with. */
  config: Config
  log: Log
  load(): Promise<Config>
  /** Goes on with another configuration. */
  apply(changed: Config): void
}

/**
 * Reads the configuration again and goes on with it. A broken one is refused: the log says why, and the old one stays. Gives
 * what was wrong. Never rejects.
 */
export async function reload({ config, log, load, apply }: Reloading): Promise<readonly Problem[]> {
  try {
    const changed = await load()
    for (const part of restartOnlyChanges(config, changed))
      log.warn({ event: 'restart_needed', part }, 'a change that takes effect at the next start')
    apply(changed)
    log.info(
      { event: 'configuration_reloaded', grants: changed.grants.length, databases: changed.databases.length },
      'configuration read again',
    )
    return []
  } catch (cause) {
    const problems = problemsOf(cause)
    logBroken(log, problems)
    return problems
  }
}

/** The line that alarms look for. */
export function logBroken(log: Log, problems: readonly Problem[]): void {
  log.error({ event: 'configuration_broken', problems }, 'the configuration is broken: the old one stays')
}

function problemsOf(cause: unknown): readonly Problem[] {
  return cause instanceof ConfigError ? cause.problems : [{ path: '', message: 'cannot be read' }]
}
