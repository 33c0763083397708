import type { Clock } from '../../lib/clock.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { messageOf } from '../../lib/system-error.ts'
import { parseRecord } from '../parsed-record.ts'
import type { FoundRecord, ReadOptions, RecentRecords, Stretch } from '../recent-records.ts'
import { compileRecordsQuery, queryTexts, type RecordsQuery } from '../records-query.ts'
import { RECOVERED_TYPE } from './hash-chain.ts'
import { lineTime, positionAfter } from './line-time.ts'
import { type OpenFile, openFile } from './open-file.ts'
import { openByNumber, openPrevious } from './open-rotated.ts'
import { type LineAt, type LineBlock, linesOf, linesWith, readBackwards } from './read-backwards.ts'

/** What one stretch reads at most: the search for a text goes through it in some 20 ms. */
const MAX_BYTES = 16 * 1024 * 1024
/** How many lines of it are parsed at most, which takes about as long. */
const MAX_PARSED = 4000
/** How much later than a vend a refusal of the same time may stand in the file. */
const LATE_MS = 2000
const BOOKMARK = /^(\d{1,20})-(\d{1,16})$/

export interface RecentFileOptions {
  path: string
  clock: Pick<Clock, 'now'>
  /** How many bytes a stretch may have, about; default 16 MiB. */
  maxBytes?: number
}

/**
 * Returns the newest records of an audit file, read backwards from its end and on into the files that it was rotated to, as long
 * as they are not compressed. It takes no lock and verifies nothing.
 */
export function createRecentFile(options: RecentFileOptions): RecentRecords {
  const { path } = options
  return {
    origin: { kind: 'file', name: path },
    async read(query, readOptions) {
      const reading = createReading(query, { ...options, ...readOptions })
      try {
        return await reading.run()
      } catch (cause) {
        throw new Error(`${path}: cannot be read: ${messageOf(cause, 'unknown error')}`)
      }
    },
  }
}

interface Start {
  readonly file: OpenFile | undefined
  readonly end: number
}

function createReading(query: RecordsQuery, options: RecentFileOptions & ReadOptions) {
  const { path, clock, limit, before, maxBytes = MAX_BYTES } = options
  const matches = compileRecordsQuery(query)
  const texts = queryTexts(query)?.map(text => Buffer.from(text))
  const records: FoundRecord[] = []
  const opened: OpenFile[] = []
  const readAt = clock.now()
  let [bytes, parsed, unreadable] = [0, 0, 0]
  let from: number | undefined
  let to: number | undefined

  /** Whatever is opened stays open until the reading ends. */
  async function keep(opening: Promise<OpenFile | undefined>): Promise<OpenFile | undefined> {
    const file = await opening
    if (file) opened.push(file)
    return file
  }

  async function findStart(): Promise<Start> {
    const [, ino, end] = BOOKMARK.exec(before ?? '') ?? []
    const file = ino === undefined ? undefined : await keep(openByNumber(Number(ino), path))
    if (file) return { file, end: Math.min(Number(end), file.size) }
    const newest = await keep(openFile(path))
    return query.to === undefined ? { file: newest, end: newest?.size ?? 0 } : findTime(newest, query.to)
  }

  /** In the last file that begins before that time. */
  async function findTime(newest: OpenFile | undefined, time: number): Promise<Start> {
    for (let file = newest; ; ) {
      const end = file ? await positionAfter(time + LATE_MS, file) : 0
      const previous = end > 0 ? undefined : await keep(openPrevious(file, path))
      if (!previous) return { file, end }
      file = previous
    }
  }

  /** Returns where to read on within the file; undefined if nothing is left of it. */
  async function readFile({ handle, ino, size }: OpenFile, end: number): Promise<string | undefined> {
    let last = end
    for await (const block of readBackwards(handle, { end })) {
      bytes += last - block.position
      last = block.position
      unreadable += block.tooLong
      readTimes(block)
      for (const line of texts ? linesWith(block, texts) : linesOf(block)) {
        const isUnfinished = line.position + line.bytes.length === size
        readLine(line, { ino, isUnfinished })
        if (records.length >= limit || parsed >= MAX_PARSED) return `${ino}-${line.position}`
      }
      if (isBeyond()) return undefined
      if (bytes >= maxBytes) return `${ino}-${block.position}`
    }
    return undefined
  }

  function readTimes(block: LineBlock): void {
    const newline = block.bytes.indexOf(10)
    from = lineTime(block.bytes.subarray(0, newline < 0 ? undefined : newline)) ?? from
    if (to !== undefined) return
    for (const { bytes: line } of linesOf(block)) {
      to = lineTime(line)
      if (to !== undefined) return
    }
  }

  /** All that is further back is from before the time that the query begins at. */
  function isBeyond(): boolean {
    return query.from !== undefined && from !== undefined && from < query.from - LATE_MS
  }

  /** Of the records that were written while those of the time before `to` could still come: not to be parsed for nothing. */
  function isLater(line: Buffer): boolean {
    return query.to !== undefined && (lineTime(line) ?? 0) >= query.to
  }

  function readLine({ position, bytes: line }: LineAt, of: { ino: number; isUnfinished: boolean }): void {
    if (line.length === 0 || isLater(line)) return
    parsed++
    const text = line.toString()
    const record = parseRecord(text)
    if (!record) {
      // one that is just being written has no newline yet
      if (!of.isUnfinished && parseJsonObject(text)?.type !== RECOVERED_TYPE) unreadable++
    } else if (matches(record))
      records.push({ ...record, bookmark: `${of.ino}-${position + line.length + 1}` })
  }

  async function readOn({ file, end }: Start): Promise<string | undefined> {
    const next = file && (await readFile(file, end))
    if (next !== undefined || isBeyond()) return next
    const previous = await keep(openPrevious(file, path))
    return previous && readOn({ file: previous, end: previous.size })
  }

  async function run(): Promise<Stretch> {
    try {
      const next = await readOn(await findStart())
      return { records, readAt, from, to, next, unreadable }
    } finally {
      await Promise.all(opened.map(({ handle }) => handle.close()))
    }
  }

  return { run }
}
