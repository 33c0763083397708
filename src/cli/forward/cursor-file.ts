import { randomUUID } from 'node:crypto'
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileTaken, lockFile } from '../../audit/file/lock.ts'
import type { FilePosition, TablePosition } from '../../audit/follow/follower.ts'
import { CallerError, failure } from '../../client/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { type JsonObject, parseJsonObject } from '../../lib/json.ts'
import { systemCode, systemCodeNote } from '../../lib/system-error.ts'

export type LogPosition = FilePosition | TablePosition

/** A file that says how far a log was delivered. This process alone has it. */
export interface CursorFile<Position extends LogPosition> {
  /** Undefined if there was none when it was opened. */
  readonly initial: Position | undefined
  /** Resolves when the position is on the disk. Rejects with the system's error; the file then has the one before. */
  write(position: Position): Promise<void>
  unlock(): Promise<void>
}

export interface CursorOptions<Position extends LogPosition> {
  path: string
  /** The log, as in `file /var/lib/jeton/audit.jsonl`. */
  log: string
  /** Returns the position in a cursor, as far as it is one of this kind of log. */
  parse: (position: JsonObject) => Position | undefined
  clock: Clock
}

/**
 * Opens the cursor at `path`, and locks it as long as the process lives. Rejects with CallerError if another process has it, or if
 * it is the cursor of another log, or none: to begin anew without a word would lose records or send all again.
 */
export async function openCursor<Position extends LogPosition>(
  options: CursorOptions<Position>,
): Promise<CursorFile<Position>> {
  const { log, clock } = options
  // a link stays one: what it leads to may be on a volume that outlives it
  const path = await realpath(options.path).catch(() => options.path)
  const unlock = await lockFile(path, clock).catch(cause => {
    throw failure(
      cause instanceof FileTaken
        ? `the cursor ${path} is in use by another process: of two receivers, each needs a --cursor of its own`
        : `the cursor ${path} cannot be locked: its folder must be there, on this machine, and writable`,
      cause,
    )
  })
  try {
    return {
      initial: await readCursor({ ...options, path }),
      write: position => replaceDurably(path, `${JSON.stringify({ v: 1, log, position }, undefined, 2)}\n`),
      unlock,
    }
  } catch (cause) {
    await unlock()
    throw cause
  }
}

async function readCursor<Position extends LogPosition>({
  path,
  log,
  parse,
}: CursorOptions<Position>): Promise<Position | undefined> {
  const text = await readText(path).catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    if (cause instanceof CallerError) throw cause
    throw failure(`the cursor ${path} cannot be read${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) return undefined
  const content = parseJsonObject(text)
  if (content && content.log !== log)
    throw failure(`${path} is the cursor of another log than ${log}: give another one with --cursor`)
  const position = content?.v === 1 ? parse((content.position ?? {}) as JsonObject) : undefined
  if (position === undefined)
    throw failure(`${path} is no cursor of this release: remove it, and say with --from where to begin`)
  return position
}

async function readText(path: string): Promise<string> {
  // a named pipe would hang
  if (!(await stat(path)).isFile()) throw failure(`the cursor ${path} is no regular file`)
  return readFile(path, 'utf8')
}

/** Readers find the old text or the new one, also after a power cut. */
async function replaceDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    await file
      .writeFile(text)
      .then(() => file.sync())
      .finally(() => file.close())
    await rename(temporary, path)
    const folder = await open(dirname(path), 'r')
    await folder.sync().finally(() => folder.close())
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}

const HASH = /^[0-9a-f]{64}$/
const isTime = (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value))

/** Returns the position in an audit file that a cursor has; undefined if it has none. */
export function parseFilePosition({ file, offset, hash, time }: JsonObject): FilePosition | undefined {
  const isHash = hash === undefined || (typeof hash === 'string' && HASH.test(hash))
  if (typeof file !== 'string' || !Number.isSafeInteger(offset) || !isHash || !isTime(time)) return undefined
  return { file, offset: offset as number, hash: hash as string | undefined, time: time as string }
}

/** Returns the position in an audit table that a cursor has; undefined if it has none. */
export function parseTablePosition({
  table,
  since,
  until,
  delivered,
}: JsonObject): TablePosition | undefined {
  const isList = Array.isArray(delivered) && delivered.every(each => typeof each === 'string')
  if (typeof table !== 'string' || !isTime(since) || !isTime(until) || !isList) return undefined
  return { table, since: since as string, until: until as string, delivered }
}
