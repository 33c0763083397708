import { LIFECYCLE_TYPES } from '../audit/lifecycle-record.ts'
import { DECISION_TYPE } from '../audit/parsed-record.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { countText } from '../lib/count-text.ts'
import { DAY_MS } from '../lib/iso-time.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { compareAccess } from '../vending/comparison/compare-access.ts'
import { gatherCallers, type RecordedCallers } from '../vending/comparison/recorded-callers.ts'
import { openLog } from './audit-query-log.ts'
import { createSearchNotes } from './audit-query-notes.ts'
import { parseTime } from './audit-query-options.ts'
import { comparisonJson } from './comparison-json.ts'
import { comparisonText } from './comparison-text.ts'
import type { CommandOutput } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface CheckAgainstArguments {
  configPath: string
  /** Files of logs; without any, the log that the configuration names, of the last seven days. */
  files: readonly string[]
  /** The earliest record that counts: a time, or how long ago. */
  since?: string | undefined
  /** `table`, or `json` for one object on one line. Default: `table`. */
  output?: string | undefined
  /** Whether those of whom it cannot be said count as losers. */
  strict?: boolean | undefined
  /** Default: `MAX_CALLERS`. */
  maxCallers?: number | undefined
  clock: Clock
  /** The columns of a terminal. */
  width?: number | undefined
}

const DEFAULT_SPAN_MS = 7 * DAY_MS

/**
 * `jeton check --against`: prints whom of the callers of a log a sound configuration would treat otherwise. Returns the exit code:
 * 3 if anybody loses what it had, else 0, or 1 if there were more callers than it looked at, or 2 for a usage error. Throws an Error with a message for operators if a log cannot be
 * read.
 */
export function checkAgainst(
  config: Config,
  {
    configPath,
    files,
    since,
    output = 'table',
    strict = false,
    maxCallers,
    clock,
    width,
  }: CheckAgainstArguments,
  { stdout, stderr }: CommandOutput,
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const now = clock.now()
    const spanned = files.length > 0 ? undefined : now - DEFAULT_SPAN_MS
    const from = since === undefined ? spanned : parseTime('--since', { text: since, now })
    const note = (text: string) => stderr.write(`${escapeUnprintable(`note: ${text}`)}\n`)
    const log = await openLog({ files, configPath }, { clock, ...createSearchNotes(stderr), onRead() {} })
    try {
      const recorded = await gatherCallers(
        log.source.all({ from, types: [DECISION_TYPE, ...LIFECYCLE_TYPES] }),
        { maxCallers },
      )
      const comparison = compareAccess(recorded, { config, now })
      for (const text of limitsOf(recorded)) note(text)
      if (recorded.records === 0) note(`no record of a vend or a denial is in ${log.name} in this time`)
      if (output === 'json') stdout.write(`${comparisonJson(recorded, comparison)}\n`)
      else stdout.write(`${comparisonText(recorded, { comparison, width }).join('\n')}\n`)
      const isLost = comparison.changed.some(
        ({ caller, change: { kind } }) =>
          kind === 'loses' || (strict && kind === 'unknown' && caller.isGranted),
      )
      if (isLost) return 3
      return recorded.omitted > 0 ? 1 : 0
    } finally {
      log.close()
    }
  })
}

/** What the log does not say, with the numbers of what is missing. */
function limitsOf({ omitted, counted }: RecordedCallers): string[] {
  return [
    ...(omitted > 0
      ? [
          `left out ${countText(omitted, 'record')} of more callers than can be told apart, who may lose what they had: use --since, or fewer files`,
        ]
      : []),
    ...(counted > 0
      ? [
          `${countText(counted, 'refusal')} of floods were only counted, so what these callers asked for is not known`,
        ]
      : []),
    'records do not show audiences, keys, lifetimes or URLs of issuers, nor hosts of databases, so changes of these are not compared',
  ]
}
