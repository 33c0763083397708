import type { Log } from '../log.ts'
import type { Journal } from './journal.ts'

/** Writes the hash of the last record to the program's log, for `jeton audit verify --expect-last`. */
export function stateHead(journal: Journal, { log, msg }: { log: Log; msg: string }): void {
  const last = journal.lastHash()
  if (last !== undefined) log.info({ last }, msg)
}
