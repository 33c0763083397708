import { isoTime, parseRfc3339 } from '../lib/iso-time.ts'
import type { CheckedCondition } from './claim-matcher.ts'
import type { GrantSpec } from './grant.ts'

/** A time from its first moment to just before its end; both in milliseconds since the epoch, or infinite. */
export interface Period {
  readonly from: number
  readonly end: number
}

/** What has a time in which it is in force; undefined if it always is. */
interface Timed {
  readonly period: Period | undefined
}

/** Those of some grants that are in force, and how long just these are: always if `period` is undefined. */
export interface GrantsInForce<Grant extends Timed> {
  readonly grants: readonly Grant[]
  readonly period: Period | undefined
}

/**
 * Returns when a grant is in force: from `notBefore` to `notAfter`, the millisecond of either included. Undefined if it always is.
 * A time that cannot be read is a configuration error; should one get this far, the grant is never in force.
 */
export function periodOf({
  notBefore,
  notAfter,
}: Pick<GrantSpec, 'notBefore' | 'notAfter'>): Period | undefined {
  if (notBefore === undefined && notAfter === undefined) return undefined
  return {
    from: notBefore === undefined ? Number.NEGATIVE_INFINITY : timeOf(notBefore),
    end: notAfter === undefined ? Number.POSITIVE_INFINITY : timeOf(notAfter) + 1,
  }
}

/** What cannot be read is neither before nor after anything. */
function timeOf(text: string): number {
  return parseRfc3339(text) ?? Number.NaN
}

/** Whether a moment (ms) lies in a period; in none that is undefined, for that is always. */
export function isWithin(period: Period | undefined, now: number): boolean {
  return period === undefined || (now >= period.from && now < period.end)
}

/** Returns those of the grants that are in force at a moment (ms), in their order: the same list if none of them has times. */
export function grantsInForce<Grant extends Timed>(
  grants: readonly Grant[],
  now: number,
): GrantsInForce<Grant> {
  if (!grants.some(({ period }) => period)) return { grants, period: undefined }
  let from = Number.NEGATIVE_INFINITY
  let end = Number.POSITIVE_INFINITY
  for (const { period } of grants) {
    if (!period) continue
    for (const moment of [period.from, period.end]) {
      if (moment <= now) from = Math.max(from, moment)
      else if (moment > now) end = Math.min(end, moment)
    }
  }
  return { grants: grants.filter(({ period }) => isWithin(period, now)), period: { from, end } }
}

/** Returns the times of a grant as conditions, for people. */
export function timeConditions({ period }: Timed, now: number): CheckedCondition[] {
  if (!period) return []
  const { from, end } = period
  const found = isoTime(now)
  return [
    ...(from === Number.NEGATIVE_INFINITY
      ? []
      : [{ name: NOT_BEFORE, wanted: [isoTime(from)], found, holds: now >= from }]),
    ...(end === Number.POSITIVE_INFINITY
      ? []
      : [{ name: NOT_AFTER, wanted: [isoTime(end - 1)], found, holds: now < end }]),
  ]
}

const NOT_BEFORE = 'notBefore'
const NOT_AFTER = 'notAfter'

/** Returns what an audit record says of a time that a grant missed; undefined for another condition. */
export function describeTimeMiss({ name, wanted }: { name: string; wanted: readonly string[] }) {
  if (name === NOT_BEFORE) return `begins at ${wanted.join()}`
  return name === NOT_AFTER ? `ended at ${wanted.join()}` : undefined
}
