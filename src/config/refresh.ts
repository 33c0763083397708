import { loadFrom } from './load.ts'
import type { Problem } from './problems.ts'
import { logBroken, type Reloading, reload } from './reload.ts'
import type { ConfigSource } from './source/source.ts'

export interface ReloaderParts extends Omit<Reloading, 'load'> {
  source: ConfigSource
}

/**
 * Gives the function that looks at a source, and goes on with another configuration where one stands there now. What
 * cannot be read or used leaves the last good one as it is, and is told at each look until it is mended: an alarm on that
 * line lasts as long. One look at a time, however often it is called; never rejects.
 */
export function createReloader({ source, ...parts }: ReloaderParts): () => Promise<void> {
  const { log } = parts
  let refused: readonly Problem[] = []
  let flight: Promise<void> | undefined

  async function look(): Promise<void> {
    try {
      if (await source.hasChanged()) refused = await reload({ ...parts, load: () => loadFrom(source) })
      else if (refused.length > 0) logBroken(log, refused)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'it failed'
      log.error(
        { event: 'configuration_unreadable', reason },
        'the configuration cannot be read: the old one stays',
      )
    }
  }

  return () => {
    flight ??= look().finally(() => {
      flight = undefined
    })
    return flight
  }
}
