import type { open, statfs } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Sink } from '../sink.ts'
import { openAppendFile } from './append-file.ts'
import type { FileEnd } from './file-end.ts'
import { append, GENESIS, renderRecovered, type TornPiece } from './hash-chain.ts'
import { openHeadFile } from './head-file.ts'
import { lockFile } from './lock.ts'
import { watchMissingRecords } from './missing-records.ts'
import { findRotatedEnd } from './rotated-files.ts'

export interface FileSinkOptions {
  path: string
  clock: Clock
  health: Health
  log: Log
  /** Opens the audit file; for tests of disks that fail. */
  open?: typeof open | undefined
  /** Tells the type of its file system; for tests of others than the one they run on. */
  statfs?: typeof statfs | undefined
}

/**
 * Opens a file of records in a hash chain; `append` resolves when the batch is on the disk, which takes one sync. Nothing in it
 * is ever truncated or rewritten: a torn piece stays, and the next record acknowledges it. The file may be renamed at any time:
 * the chain continues in the next file, after a restart from `PATH.head`. If its last record is gone, which is not in a file
 * beside it either, an error is logged each minute. Rejects if another process has the file or if it is not an audit file
 * of jeton; `append` rejects, once, if another process has written to it. Does not check that the disk keeps what it syncs.
 */
export async function openFileSink(options: FileSinkOptions): Promise<Sink> {
  const { path, clock } = options
  const unlock = await lockFile(path, clock)
  try {
    const file = await openChainedFile(options)
    let lastTask: Promise<unknown> = Promise.resolve()
    let isClosed = false
    let isChecking = false
    /** One task at a time: overlapping batches would fork the chain. */
    const enqueue = (task: () => Promise<void>) => {
      const done = lastTask.then(task)
      lastTask = done.catch(() => {})
      return done
    }
    return {
      name: `file ${path}`,
      append(lines) {
        if (isClosed) return Promise.reject(new Error(`${path}: the audit file is closed`))
        return enqueue(() => file.append(lines))
      },
      async check() {
        if (isClosed || isChecking) return
        isChecking = true
        // what fails here fails the next append too, which says so
        await enqueue(file.check).catch(() => {})
        isChecking = false
      },
      headHash: file.headHash,
      close() {
        if (isClosed) return lastTask.then(() => {})
        isClosed = true
        return enqueue(() => file.close().finally(unlock))
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

async function openChainedFile({ path, clock, health, log, open, statfs }: FileSinkOptions) {
  const { file, end } = await openAppendFile({ path, open, statfs })
  const headFile = await openHeadFile(`${path}.head`, log)
  const missing = watchMissingRecords({ path, log, health })
  let head = headFile.initialHash ?? GENESIS
  /** While the next batch gathers: nobody waits for it, and the file's own end is what counts. */
  let headKept = Promise.resolve()
  /** The head before the last batch: if the file is emptied between two batches, only the latter is in it. */
  let previousHead = head
  /** The hash that the last new file was said to continue: as long as no record gets into it, that is not said again. */
  let continued = GENESIS
  /** The hashes of a batch that failed: its records may still be in the file. */
  let unconfirmed: readonly string[] = []
  let isMissingNewline = false
  let torn: TornPiece | undefined

  async function reviewChanges(): Promise<void> {
    const ends = await file.changedEnds()
    if (ends.length === 0) return
    await missing.expect(
      [previousHead, head].filter(hash => hash !== GENESIS),
      ends,
    )
    for (const end of ends) continueFrom(end)
  }

  function continueFrom(end: FileEnd): void {
    if (end.hash !== undefined && unconfirmed.includes(end.hash)) head = end.hash
    // the chain continues from what this process wrote, so that verification shows what was done to the file
    else if (end.hash !== undefined && end.hash !== head)
      log.warn({ event: 'audit_chain_broken', path }, CHAIN_BROKEN)
    else if (end.size === 0 && head !== continued) {
      log.info({ event: 'audit_file_started', path, continues: head }, FILE_STARTED)
      continued = head
    }
    unconfirmed = []
    isMissingNewline = end.isMissingNewline
    // a new file is empty: a torn piece of the old one is still to be acknowledged
    torn = end.torn ?? (end.size === 0 ? torn : undefined)
  }

  if (headFile.initialHash !== undefined) {
    await missing.expect([headFile.initialHash], [end])
    // it may be a batch behind, or a piece torn, where a killed process stopped before the file was renamed
    const rotated = end.hash === undefined ? await findRotatedEnd(headFile.initialHash, path) : undefined
    if (rotated) {
      head = rotated.hash ?? head
      continueFrom(rotated)
    }
  }
  head = end.hash ?? head
  previousHead = head
  continueFrom(end)

  return {
    headHash: () => (head === GENESIS ? undefined : head),
    async append(lines: readonly string[]): Promise<void> {
      await reviewChanges()
      const time = new Date(clock.now()).toISOString()
      const hashes: string[] = []
      let last = head
      let text = isMissingNewline ? '\n' : ''
      for (const line of torn ? [renderRecovered(torn, time), ...lines] : lines) {
        const chained = append(line, last)
        last = chained.hash
        hashes.push(last)
        text += `${chained.line}\n`
      }
      unconfirmed = hashes
      await headKept
      await file.write(Buffer.from(text))
      // not before: it must never name a record that the file has not
      headKept = headFile.write(last)
      previousHead = head
      head = last
      unconfirmed = []
      isMissingNewline = false
      torn = undefined
    },
    async check(): Promise<void> {
      await missing.report()
      if (await file.isDisturbed()) await reviewChanges()
    },
    async close(): Promise<void> {
      await headKept
      await headFile.close()
      await file.close()
    },
  }
}

const CHAIN_BROKEN =
  'somebody changed the end of the audit file: its hash chain will not verify from here on; find out who did'
const FILE_STARTED = 'a new audit file begins and continues the hash chain of the one before'
