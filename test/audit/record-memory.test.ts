import { describe, expect, test } from 'vitest'
import { createRecordMemory } from '../../src/audit/record-memory.ts'
import { describeRecentRecords } from '../contracts/recent-records.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { fakeSink } from './fake-sink.ts'
import { line, NOON } from './support.ts'

const clock = virtualClock(NOON)

function setUp() {
  const memory = createRecordMemory(1000)
  const fake = fakeSink()
  return { recent: memory.recent({ clock, name: 'stdout' }), fake, sink: memory.watch(fake.sink) }
}

describeRecentRecords('a memory', async lines => {
  const { recent, sink } = setUp()
  await sink.append(lines)
  return recent
})

describe('createRecordMemory', () => {
  test('remembers the newest, within its bounds', async () => {
    const { recent, sink } = setUp()
    for (let batch = 0; batch < 2100; batch++)
      await sink.append(Array.from({ length: 10 }, (_, i) => line(`${batch * 10 + i}`)))
    const { records } = await recent.read({ id: '20999' }, { limit: 1 })
    expect(records).toHaveLength(1)
    expect((await recent.read({ id: '1000' }, { limit: 1 })).records).toHaveLength(1)
    expect((await recent.read({ id: '999' }, { limit: 1 })).records).toEqual([])
    const huge = 'x'.repeat(1024 * 1024)
    for (let i = 0; i < 20; i++) await sink.append([huge])
    expect(await recent.read({}, { limit: 100 })).toMatchObject({ unreadable: 16, next: undefined })
  })

  test('remembers what the sink took, and nothing that it failed to take', async () => {
    const { recent, sink, fake } = setUp()
    fake.fail(new Error('full'))
    await expect(sink.append([line('lost')])).rejects.toThrow('full')
    fake.fail(undefined)
    await sink.append([line('kept')])
    expect(sink.headHash()).toBe('head-1')
    const { records } = await recent.read({}, { limit: 10 })
    expect(records.map(({ record }) => record.id)).toEqual(['kept'])
  })
})
