import type { FollowEvents } from '../audit/follow/follower.ts'
import type { OnUnreadable } from '../audit/query.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import type { TextOutput } from './streams.ts'

/** Notes on stderr about what a search could not read. */
export interface SearchNotes {
  onUnreadable: OnUnreadable
  onTruncated(path: string): void
  onCompressed(path: string): void
  onMissing: FollowEvents['onMissing']
}

export function createSearchNotes(stderr: TextOutput): SearchNotes {
  const note = (text: string) => stderr.write(`${escapeUnprintable(`note: ${text}`)}\n`)
  return {
    onUnreadable({ where, lines }) {
      const skipped = lines === 1 ? '1 line that is not a record' : `${lines} lines that are not records`
      note(`${where}: skipped ${skipped}`)
    },
    onTruncated(path) {
      note(
        `${path}: its compressed data ends too early: what followed is missing, all before it was searched`,
      )
    },
    onCompressed(path) {
      note(`${path}: not searched, because it is compressed, and not by gzip`)
    },
    onMissing({ file, offset }) {
      note(
        `${file}: the record that ends at byte ${offset} does not continue the one before: records are missing, or the log is another one`,
      )
    },
  }
}
