import { isLifecycleType } from '../../audit/lifecycle-record.ts'
import type { FoundRecord } from '../../audit/recent-records.ts'
import { shorten } from '../../lib/printable.ts'
import { plainText } from '../pieces/shown-text.ts'
import { lifecycleText } from './lifecycle-text.ts'

const MAX_LENGTH = 120

/** Returns what a record says, in one sentence. */
export function recordSummary({ type, record }: FoundRecord): string {
  if (isLifecycleType(type)) return `${capitalized(lifecycleText(type))}.`
  const { decision, principal, database, user, grant, count } = record
  const who = principal ? shown(principal.subject) : `A caller without a principal`
  const what =
    database === undefined ? 'a token' : `a token for ${shown(user ?? 'a user')} of ${shown(database)}`
  if (count !== undefined)
    return `${shown(count)} requests ended like this one, and were counted: ${plainText(decision)}.`
  if (decision === 'vended') return `${who} got ${what}, by the grant ${shown(grant)}.`
  if (decision === 'listed') return `${who} was told what it may have.`
  if (decision === 'failed') return `${who} might have had ${what}, but something failed.`
  return `${who} was refused ${what}.`
}

const shown = (value: unknown) => shorten(plainText(value), MAX_LENGTH)
const capitalized = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
