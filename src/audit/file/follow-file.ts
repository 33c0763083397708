import { stat } from 'node:fs/promises'
import {
  BEGINNING,
  inoOf,
  isCopyOf,
  openTailedFile,
  type ReadPlace,
  type TailedFile,
} from './followed-file.ts'
import { logFilesOf } from './log-files.ts'

/** Follows a log through its rotations. */
export interface FileFollower {
  /** The file that is followed, as it was at the beginning; undefined if there was none. */
  readonly first: TailedFile | undefined
  /** Yields the whole lines that were written since the last call, many at a time, each once. */
  readNew(): AsyncGenerator<Buffer>
  close(): Promise<void>
}

export interface FollowOptions {
  path: string
  /** In milliseconds. */
  now(): number
}

/** How long a file is read on after it was renamed: jeton may just be writing a batch to it. */
const DRAIN_MS = 60_000
/** By how much clocks of files and of programs may differ. */
const CLOCK_SLACK_MS = 2000

/**
 * Follows the file at `path` from its last whole line on, as it is written, renamed (read on for a minute, and the next from its
 * beginning), or copied and emptied (what the copy has more is read there). It holds files open, and locks nothing.
 */
export async function tailFile({ path, now }: FollowOptions): Promise<FileFollower> {
  const startMs = now() - CLOCK_SLACK_MS
  const seen = new Set<number>()
  for (const file of (await logFilesOf(path)).files) seen.add((await inoOf(file.path)) ?? 0)
  let current = await openTailedFile(path, 'end')
  /** Files that were renamed, and when. */
  let draining: { file: TailedFile; atMs: number }[] = []

  async function* readNew(): AsyncGenerator<Buffer> {
    yield* readDraining()
    if (current && !(await current.isContinued())) {
      const place = current.place()
      await current.close()
      current = undefined
      yield* readUnseen(place)
    } else if (current) yield* current.readNew()
    const ino = await inoOf(path)
    if (ino === undefined || ino === current?.ino) return
    if (current) {
      seen.add(current.ino)
      draining.push({ file: current, atMs: now() })
      // once more: it may have been written to between the two
      yield* current.readNew()
      current = undefined
    }
    current = await openTailedFile(path)
    if (current) seen.add(current.ino)
    yield* readUnseen(BEGINNING)
    if (current) yield* current.readNew()
  }

  async function* readDraining(): AsyncGenerator<Buffer> {
    for (const { file } of draining) yield* file.readNew()
    const ended = draining.filter(({ atMs }) => now() - atMs > DRAIN_MS)
    draining = draining.filter(each => !ended.includes(each))
    await Promise.all(ended.map(({ file }) => file.close()))
  }

  /** Yields the lines of files beside the log that are there since: a copy of it from `place` on, others whole. */
  async function* readUnseen(place: ReadPlace): AsyncGenerator<Buffer> {
    for (const each of await unseenFiles()) {
      const isCopy = place.position > 0 && (await isCopyOf(each, place))
      const file = await openTailedFile(each, isCopy ? place : BEGINNING)
      if (!file) continue
      seen.add(file.ino)
      draining.push({ file, atMs: now() })
      yield* file.readNew()
    }
  }

  /** The oldest first. */
  async function unseenFiles(): Promise<string[]> {
    const others = (await logFilesOf(path)).files.filter(
      file => file.path !== path && !file.path.endsWith('.gz'),
    )
    const found = await Promise.all(
      others.map(async file => ({ path: file.path, stats: await stat(file.path).catch(() => undefined) })),
    )
    return found
      .filter(({ stats }) => stats && !seen.has(stats.ino) && stats.mtimeMs >= startMs)
      .sort((a, b) => (a.stats?.mtimeMs ?? 0) - (b.stats?.mtimeMs ?? 0))
      .map(each => each.path)
  }

  return {
    first: current,
    readNew,
    async close() {
      await Promise.all([current, ...draining.map(({ file }) => file)].map(file => file?.close()))
    },
  }
}
