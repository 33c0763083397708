import { printableJson } from '../lib/printable.ts'
import type { ChangedCaller, Comparison } from '../vending/comparison/compare-access.ts'
import type { RecordedCallers } from '../vending/comparison/recorded-callers.ts'

/** Returns a comparison for programs, on one line. Docs/cli.md names its members. */
export function comparisonJson(
  { callers, records, from, to, omitted, counted }: RecordedCallers,
  { changed, severalUsers }: Comparison,
): string {
  const ofKind = (kind: ChangedCaller['change']['kind']) =>
    changed.filter(({ change }) => change.kind === kind).map(memberOf)
  return printableJson({
    from,
    to,
    records,
    callers: callers.length,
    loses: ofKind('loses'),
    unknown: ofKind('unknown'),
    gains: ofKind('gains'),
    changes: ofKind('changes'),
    severalUsers,
    omitted,
    counted,
  })
}

function memberOf({ caller, change: { kind: _, ...becomes } }: ChangedCaller) {
  const { principal, subject, database, user, isGranted, vends, refusals, last, grant, identity } = caller
  const { issuer, claims } = principal
  return {
    principal: { issuer, subject, claims },
    database,
    user,
    wasGranted: isGranted,
    vends,
    refusals,
    last,
    grant,
    identity,
    becomes,
  }
}
