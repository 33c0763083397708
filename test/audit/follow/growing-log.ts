import { appendFile } from 'node:fs/promises'
import { append, GENESIS } from '../../../src/audit/file/hash-chain.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { NOON, record } from '../support.ts'

/** Writes records as jeton does: one hash chain, through whatever files. */
export interface GrowingLog {
  /** Appends a record for each id to a file, a second after the one before, from noon on. */
  write(path: string, ...ids: readonly string[]): Promise<void>
  /** As if these had been written to a file that is gone. */
  lose(...ids: readonly string[]): void
}

export function createGrowingLog(startMs = NOON): GrowingLog {
  let [prev, timeMs] = [GENESIS, startMs]
  function linesOf(ids: readonly string[]): string {
    return ids
      .map(id => {
        const chained = append(renderRecord(record({ id, time: new Date(timeMs).toISOString() })), prev)
        prev = chained.hash
        timeMs += 1000
        return `${chained.line}\n`
      })
      .join('')
  }
  return { write: (path, ...ids) => appendFile(path, linesOf(ids)), lose: (...ids) => void linesOf(ids) }
}
