import type { FoundRecord, RecordsOrigin } from '../../audit/recent-records.ts'
import { escapeUnprintable } from '../../lib/printable.ts'
import { shellWord } from '../../lib/shell-words.ts'
import { foundAt } from './folded-records.ts'

/**
 * Returns the command that finds a record, fit to be pasted into a POSIX shell: text of the record is quoted. An id that no jeton
 * made, with something invisible in it, is left out.
 */
export function queryCommand(found: FoundRecord, { kind }: RecordsOrigin): string {
  const at = foundAt(found)
  // the table is read by day, so a time spares it most of the reading
  const time = ['--from', new Date(at).toISOString(), '--to', new Date(at + 1).toISOString()]
  const { id } = found.record
  return [
    'jeton audit query',
    ...(kind === 'memory' ? ['FILE'] : []),
    ...(escapeUnprintable(id) === id ? ['--id', shellWord(id)] : []),
    ...time,
  ].join(' ')
}

const SESSION = /^arn:[\w-]+:sts::\d{12}:(assumed-role\/[\w+=,.@-]+\/([\w+=,.@-]{2,64}))$/
/** A role session signs tokens for so long. */
const SESSION_MS = 3_600_000

/** What a role session is called elsewhere. */
export interface SessionNames {
  /** As RDS's log names it: `assumed-role/ROLE/SESSION`. */
  readonly inRdsLog: string
  /** The command that finds its `AssumeRole` in CloudTrail: the ones of its name within the hour before the record. */
  readonly awsCommand: string
}

/** Returns what the role session of a record is called elsewhere; undefined if it has none. Expects any value. */
export function sessionNames(found: FoundRecord): SessionNames | undefined {
  const [, inRdsLog, session] = SESSION.exec(String(found.record.identity)) ?? []
  if (inRdsLog === undefined || session === undefined) return undefined
  const at = foundAt(found)
  const awsCommand = [
    'aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRole',
    `--start-time ${new Date(at - SESSION_MS).toISOString()} --end-time ${new Date(at).toISOString()}`,
    `--query "Events[?contains(CloudTrailEvent, '${session}')].CloudTrailEvent"`,
  ].join(' ')
  return { inRdsLog, awsCommand }
}
