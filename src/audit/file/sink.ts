import type { open } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Sink } from '../sink.ts'
import { openAppendFile } from './append-file.ts'
import type { FileEnd } from './file-end.ts'
import { append, GENESIS, renderRecovered, type TornPiece } from './hash-chain.ts'
import { openHeadFile } from './head-file.ts'
import { lockFile } from './lock.ts'

export interface FileSinkOptions {
  path: string
  clock: Clock
  log: Log
  /** Opens the log; for tests of disks that fail. */
  open?: typeof open | undefined
}

/**
 * A file of records chained by hashes, one `fdatasync` for each batch; `append` resolves when that returned. Nothing in
 * the file is ever truncated or rewritten: what a crash tore stays, and the next record names it. May be rotated at any
 * time by renaming it, removing it, or copying and emptying it: the chain runs on into the next file, across restarts
 * too, by what `PATH.head` says. Rejects at opening where another process has the file or where it is no log of ours,
 * and in `append`, once, where another wrote to it meanwhile. What a sync is worth, the disk decides.
 */
export async function openFileSink(options: FileSinkOptions): Promise<Sink> {
  const { path } = options
  const unlock = await lockFile(path)
  try {
    const chained = await openChained(options)
    let turn: Promise<unknown> = Promise.resolve()
    let closed = false
    /** One batch at a time: overlapping ones would fork the chain. */
    const inTurn = (work: () => Promise<void>) => {
      const done = turn.then(work)
      turn = done.catch(() => {})
      return done
    }
    return {
      name: `file ${path}`,
      append(lines) {
        if (closed) return Promise.reject(new Error(`${path}: the audit log is closed`))
        return inTurn(() => chained.append(lines))
      },
      head: chained.head,
      close() {
        if (closed) return turn.then(() => {})
        closed = true
        return inTurn(() => chained.close().finally(unlock))
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

async function openChained({ path, clock, log, open }: FileSinkOptions) {
  const { file, tail } = await openAppendFile({ path, open })
  const headFile = await openHeadFile(`${path}.head`, log)
  let head = headFile.said ?? GENESIS
  /** The hashes of a batch that failed: its records may be in the file all the same. */
  let attempted: readonly string[] = []
  let newline = false
  let torn: TornPiece | undefined

  function adopt(tail: FileEnd): void {
    if (tail.hash !== undefined && attempted.includes(tail.hash)) head = tail.hash
    // The chain goes on from what we wrote, so that what was done to the file shows.
    else if (tail.hash !== undefined && tail.hash !== head)
      log.warn({ event: 'audit_chain_broken', path }, CHANGED)
    else if (tail.size === 0 && head !== GENESIS)
      log.info({ event: 'audit_file_started', path, continues: head }, 'a new audit log file')
    attempted = []
    newline = tail.unended
    // A new file is empty: what was torn in the old one is yet to be named.
    torn = tail.torn ?? (tail.size === 0 ? torn : undefined)
  }

  if (tail.hash !== undefined) {
    if (headFile.said !== undefined && !tail.holds(headFile.said))
      log.warn({ event: 'audit_tail_missing', path, expected: headFile.said, found: tail.hash }, CUT)
    head = tail.hash
  }
  adopt(tail)

  return {
    head: () => (head === GENESIS ? undefined : head),
    async append(lines: readonly string[]): Promise<void> {
      for (const tail of await file.look()) adopt(tail)
      const time = new Date(clock.now()).toISOString()
      const hashes: string[] = []
      let last = head
      let text = newline ? '\n' : ''
      for (const line of torn ? [renderRecovered(torn, time), ...lines] : lines) {
        const sealed = append(line, last)
        last = sealed.hash
        hashes.push(last)
        text += `${sealed.line}\n`
      }
      attempted = hashes
      await file.write(Buffer.from(text))
      // Beside the sync, not after it: it costs no time, and where the file has records its own end is what counts.
      await Promise.all([file.sync(), headFile.put(last)])
      head = last
      attempted = []
      newline = false
      torn = undefined
    },
    async close(): Promise<void> {
      await headFile.close()
      await file.close()
    },
  }
}

const CHANGED = 'somebody changed the end of the audit log: its chain will not verify from here on'
const CUT = 'the audit log does not hold the last record that was written: its end may have been cut off'
