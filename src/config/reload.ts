import { groupBy } from '../lib/maps.ts'
import { singleFlight } from '../lib/single-flight.ts'
import { messageOf } from '../lib/system-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { Config } from './config.ts'
import { type KeyChange, keyChanges } from './key-changes.ts'
import { loadFrom } from './load.ts'
import type { ConfigOrigin } from './origin.ts'
import { ConfigError, type Problem } from './problems.ts'
import type { ConfigSource } from './source/source.ts'
import { logWarnings } from './warnings.ts'

export interface ReloadParts {
  /** The configuration that the process started with. */
  config: Config
  log: Log
  load(): Promise<Config>
  /** Replaces the configuration in use. */
  apply(changed: Config): void
  /** Called for a configuration that is not applied. */
  onRefused?(refusal: RefusedConfig): void
}

export interface RefusedConfig {
  /** Undefined if it could not be read or parsed. */
  readonly origin: ConfigOrigin | undefined
  readonly problems: number
}

/**
 * Loads the configuration and applies it. If it is broken, logs why, keeps the previous one and returns its problems.
 * Changes that need a restart are logged. Never rejects.
 */
export async function reload({
  config,
  log,
  load,
  apply,
  onRefused,
}: ReloadParts): Promise<readonly Problem[]> {
  try {
    const changed = await load()
    for (const [part, changes] of groupBy(restartOnlyChanges(config, changed), ({ section }) => section))
      log.warn(
        { event: 'restart_needed', part, changes: changes.map(({ section: _, ...change }) => change) },
        'these keys of the configuration differ from those that jeton started with, and take effect only at the next start: restart jeton',
      )
    logWarnings(changed, log)
    apply(changed)
    log.info(
      { event: 'configuration_reloaded', grants: changed.grants.length, databases: changed.databases.length },
      'the configuration was reloaded',
    )
    return []
  } catch (cause) {
    const problems = problemsOf(cause)
    logBroken(log, problems)
    const origin = cause instanceof ConfigError ? cause.origin : undefined
    onRefused?.({ origin, problems: problems.length })
    return problems
  }
}

export interface ReloaderParts extends Omit<ReloadParts, 'load'> {
  source: ConfigSource
}

/**
 * Returns a function that reloads the configuration if its source has changed. A configuration that is broken or cannot be
 * read leaves the previous one in use, and is logged again at each call until it is fixed: an alarm on that line lasts as
 * long as the fault. Concurrent calls share one check. The function never rejects. For Lambda, which keeps stdout.
 */
export function createReloader({ source, ...parts }: ReloaderParts): () => Promise<void> {
  const { log } = parts
  let problems: readonly Problem[] = []

  return singleFlight(async () => {
    try {
      if (await source.hasChanged())
        problems = await reload({
          ...parts,
          load: () => loadFrom(source, { purpose: { reloadOf: parts.config }, keepsStdout: true }),
        })
      else if (problems.length > 0) logBroken(log, problems)
    } catch (cause) {
      log.error(
        { event: 'configuration_unreadable', reason: messageOf(cause) },
        'the configuration cannot be read; the previous one stays in use',
      )
    }
  })
}

/**
 * Returns the keys in which two configurations differ and whose changes a running server ignores. It does take on a renewed
 * certificate, but TLS is switched on or off only at the start.
 */
export function restartOnlyChanges(old: Config, changed: Config): KeyChange[] {
  const renewed = [
    { key: 'server.tls', from: old.server.tls, to: changed.server.tls },
    { key: 'server.admin.tls', from: old.server.admin?.tls, to: changed.server.admin?.tls },
  ].flatMap(({ key, from, to }) => (from && to ? [key] : []))
  return keyChanges(old, changed).filter(({ key }) => !renewed.includes(key))
}

/** Writes the line that alarms filter for. */
function logBroken(log: Log, problems: readonly Problem[]): void {
  log.error(
    { event: 'configuration_broken', problems },
    'the configuration is broken; the previous one stays in use until its problems are fixed',
  )
}

function problemsOf(cause: unknown): readonly Problem[] {
  return cause instanceof ConfigError ? cause.problems : [{ path: '', message: 'cannot be read' }]
}
