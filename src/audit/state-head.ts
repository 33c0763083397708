import type { Log } from '../log.ts'
import type { Journal } from './journal.ts'

const SENTENCES = { audit_head: 'the audit log so far', audit_closed: 'the audit log ends' } as const

/** Writes the hash of the last record to the program's log, for `jeton audit verify --expect-last`. */
export function stateHead(
  journal: Journal,
  { log, event }: { log: Log; event: keyof typeof SENTENCES },
): void {
  const last = journal.lastHash()
  if (last !== undefined) log.info({ event, last }, SENTENCES[event])
}
