import { timeOf } from '../parsed-record.ts'
import { readAt } from './file-end.ts'
import type { OpenFile } from './open-file.ts'

/** Behind the type and the id, which has 256 characters at most. */
const TIME = /"time":"([^"]{20,35})"/
const HEAD_BYTES = 400
const PROBE_BYTES = 32 * 1024
/** Halving ends where reading on costs no more. */
const CLOSE_ENOUGH_BYTES = 64 * 1024

/** Returns the time in a line, in milliseconds, without parsing the record; undefined if it has none. */
export function lineTime(line: Buffer): number | undefined {
  const [, time] = TIME.exec(line.toString('latin1', 0, HEAD_BYTES)) ?? []
  return timeOf({ time })
}

/**
 * Returns a position in a file before which all records from before `time` begin, and few others: found by halving, since records
 * stand in order of time, nearly. Reads a few dozen times 32 KiB at most.
 */
export async function positionAfter(time: number, { handle, size }: OpenFile): Promise<number> {
  const first = lineTime(await readAt(handle, { position: 0, length: HEAD_BYTES }))
  let [low, high] = [0, first !== undefined && first >= time ? 0 : size]
  while (high - low > CLOSE_ENOUGH_BYTES) {
    const middle = Math.floor((low + high) / 2)
    const bytes = await readAt(handle, { position: middle, length: PROBE_BYTES })
    const found = lineTime(bytes.subarray(bytes.indexOf(10) + 1))
    if (found !== undefined && found >= time) high = middle
    else low = middle
  }
  return high
}
