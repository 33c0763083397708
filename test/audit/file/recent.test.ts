import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_LINE_BYTES, renderRecovered } from '../../../src/audit/file/hash-chain.ts'
import { createRecentFile } from '../../../src/audit/file/recent.ts'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import type { RecentRecords, Stretch } from '../../../src/audit/recent-records.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { describeRecentRecords } from '../../contracts/recent-records.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { folder, line, NOON, recordAt } from '../support.ts'
import { chained } from './chained.ts'

const clock = virtualClock(NOON)
const ids = ({ records }: Stretch) => records.map(({ record }) => record.id)

async function fileOf(text: string): Promise<{ path: string; recent: RecentRecords }> {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, text)
  return { path, recent: createRecentFile({ path, clock }) }
}

async function openSink() {
  const path = join(await folder(), 'audit.jsonl')
  const sink = await openFileSink({ path, clock, health: createHealth(), log: createLogRecorder() })
  return { path, sink, recent: createRecentFile({ path, clock }) }
}

/** Reads stretch after stretch, back to the beginning. */
async function readAll(recent: RecentRecords, limit: number): Promise<string[]> {
  const found: string[] = []
  let before: string | undefined
  do {
    const stretch = await recent.read({}, { limit, before })
    found.push(...ids(stretch))
    before = stretch.next
  } while (before !== undefined)
  return found
}

describeRecentRecords('a file', async lines =>
  fileOf(
    chained(lines)
      .map(each => `${each}\n`)
      .join(''),
  ).then(({ recent }) => recent),
)

describe('createRecentFile', () => {
  test('follows the hash chain into the files that the log was rotated to, and into no other', async () => {
    const { path, sink, recent } = await openSink()
    await sink.append([line('a'), line('b')])
    await rename(path, `${path}.1`)
    await sink.append([line('c'), line('d')])
    await rename(path, join(path, '..', 'audit-20261123.jsonl'))
    await sink.append([line('e')])
    await writeFile(`${path}.2`, `${chained([line('foreign')])[0]}\n`)
    await writeFile(`${path}.3.gz`, 'compressed')
    await mkdir(`${path}.4`)
    for (const limit of [1, 2, 3, 10]) expect(await readAll(recent, limit)).toEqual(['e', 'd', 'c', 'b', 'a'])
    await sink.close()
  })

  test('reads on from the same place although the file was rotated and written to meanwhile', async () => {
    const { path, sink, recent } = await openSink()
    await sink.append(['a', 'b', 'c'].map(line))
    const { next, records } = await recent.read({}, { limit: 1 })
    await rename(path, `${path}.1`)
    await sink.append([line('d')])
    expect(ids(await recent.read({}, { limit: 10, before: next }))).toEqual(['b', 'a'])
    expect(ids(await recent.read({}, { limit: 1, before: records[0]?.bookmark }))).toEqual(['c'])
    await sink.close()
  })

  test('finds what is in the renamed file while the next one is empty, or is not there yet', async () => {
    const { path, sink, recent } = await openSink()
    await sink.append(['a', 'b'].map(line))
    await sink.append([line('c')])
    await sink.close()
    await rename(path, `${path}.1`)
    expect(await readAll(recent, 10)).toEqual(['c', 'b', 'a'])
    await writeFile(path, '')
    expect(await readAll(recent, 10)).toEqual(['c', 'b', 'a'])
  })

  test('shows nothing of a line that is being written, and counts lines that are torn or damaged', async () => {
    const torn = line('torn').slice(0, 30)
    const recovered = chained([renderRecovered({ bytes: 30, sha256: 'x' }, recordAt(NOON).time)])[0]
    const { path, recent } = await fileOf(`${line('a')}\n${torn}\n${recovered}\n\n${line('b')}\n${torn}`)
    expect(await recent.read({}, { limit: 10 })).toMatchObject({ unreadable: 1, next: undefined })
    await appendFile(path, `${line('torn').slice(30)}\n`)
    expect(ids(await recent.read({}, { limit: 10 }))).toEqual(['torn', 'b', 'a'])
  })

  test('finds what is on both sides of a line that is longer than any record', async () => {
    const { recent } = await fileOf(`${line('a')}\n${'x'.repeat(2 * MAX_LINE_BYTES)}\n${line('b')}\n`)
    const stretch = await recent.read({}, { limit: 10 })
    expect(ids(stretch)).toEqual(['b', 'a'])
    expect(stretch.unreadable).toBe(1)
  })

  test('finds what is appended in the next reading', async () => {
    const { path, recent } = await fileOf(`${line('a')}\n`)
    expect(ids(await recent.read({}, { limit: 10 }))).toEqual(['a'])
    await appendFile(path, `${line('b')}\n`)
    expect(ids(await recent.read({}, { limit: 10 }))).toEqual(['b', 'a'])
  })

  test('reads no more than its bytes, says how far back it came, and goes on from there', async () => {
    const records = Array.from({ length: 6000 }, (_, i) =>
      recordAt(NOON + i * 1000, { grant: i === 10 ? 'rare' : 'usual', reason: 'x'.repeat(300) }),
    )
    const { path } = await fileOf(records.map(each => `${renderRecord(each)}\n`).join(''))
    const recent = createRecentFile({ path, clock, maxBytes: 1024 * 1024 })
    const first = await recent.read({ grant: 'rare' }, { limit: 10 })
    expect(first.records).toEqual([])
    expect(first.to).toBe(NOON + 5_999_000)
    expect(first.from).toBeGreaterThan(NOON + 2_000_000)
    let [next, reads] = [first.next, 1]
    let found: string[] = []
    while (next !== undefined) {
      const stretch: Stretch = await recent.read({ grant: 'rare' }, { limit: 10, before: next })
      found = [...found, ...ids(stretch)]
      next = stretch.next
      reads++
    }
    expect(found).toEqual(['r10000'])
    expect(reads).toBeGreaterThan(2)
    expect(reads).toBeLessThan(5)
  })

  test('goes to a time at once, however much was written since, and into the file that has it', async () => {
    const { path, sink, recent } = await openSink()
    const write = async (from: number, count: number) => {
      const records = Array.from({ length: count }, (_, i) =>
        recordAt(from + i * 1000, { reason: 'x'.repeat(400) }),
      )
      await sink.append(records.map(renderRecord))
    }
    await write(NOON, 3000)
    await rename(path, `${path}.1`)
    await write(NOON + 10_000_000, 3000)
    const small = createRecentFile({ path, clock, maxBytes: 256 * 1024 })
    for (const [to, first] of [
      [NOON + 11_000_500, 'r11000000'],
      [NOON + 10_000_500, 'r10000000'],
      [NOON + 5_000_000, 'r2999000'],
      [NOON + 1_500_500, 'r1500000'],
    ] as const)
      expect(ids(await small.read({ to }, { limit: 1 }))).toEqual([first])
    expect(ids(await recent.read({ to: NOON }, { limit: 1 }))).toEqual([])
    await sink.close()
  })

  test('goes to a time in the midst of a load', async () => {
    const records = Array.from({ length: 12_000 }, (_, i) =>
      recordAt(NOON + Math.floor(i / 2), { id: `${i}` }),
    )
    const { recent } = await fileOf(records.map(each => `${renderRecord(each)}\n`).join(''))
    expect(ids(await recent.read({ to: NOON + 1000 }, { limit: 2 }))).toEqual(['1999', '1998'])
  })

  test('reads no further back than where the query begins', async () => {
    const records = Array.from({ length: 6000 }, (_, i) =>
      recordAt(NOON + i * 1000, { reason: 'x'.repeat(300) }),
    )
    const { recent } = await fileOf(records.map(each => `${renderRecord(each)}\n`).join(''))
    const stretch = await recent.read({ from: NOON + 5_998_000 }, { limit: 10 })
    expect(ids(stretch)).toEqual(['r5999000', 'r5998000'])
    expect(stretch.from).toBeGreaterThan(NOON + 4_000_000)
    expect(stretch.next).toBeUndefined()
  })

  test('names a file that cannot be read', async () => {
    const path = await folder()
    const read = createRecentFile({ path, clock }).read({}, { limit: 1 })
    await expect(read).rejects.toThrow(`${path}: cannot be read`)
    await rm(path, { recursive: true })
    expect(ids(await createRecentFile({ path, clock }).read({}, { limit: 1 }))).toEqual([])
  })
})
