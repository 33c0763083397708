import { describe, expect, test } from 'vitest'
import { type LiveCheck, ok } from '../../../src/cli/live/live-check.ts'
import { createLiveTable } from '../../../src/cli/live/live-table.ts'
import { runLiveChecks } from '../../../src/cli/live/run-checks.ts'
import { JetonError } from '../../../src/errors.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'

const never = () => new Promise<never>(() => {})

describe('runLiveChecks', () => {
  test('fails what does not end, and what rejects by the reason for operators', async () => {
    const clock = virtualClock()
    const refusal = new JetonError('role_refused', { publicMessage: 'for callers', reason: 'for operators' })
    const running = runLiveChecks(
      [
        { what: 'hangs', run: never },
        { what: 'rejects', run: () => Promise.reject(refusal) },
        { what: 'throws', run: () => Promise.reject(new Error('ECONNREFUSED')) },
        { what: 'works', run: async () => ok('well') },
      ],
      { clock },
    )
    await clock.advance(15_000)
    expect(await running).toEqual([
      { what: 'hangs', result: 'failed', detail: 'it took longer than 15 s' },
      { what: 'rejects', result: 'failed', detail: 'for operators' },
      { what: 'throws', result: 'failed', detail: 'ECONNREFUSED' },
      { what: 'works', result: 'ok', detail: 'well' },
    ])
  })

  test('runs 16 at once, and keeps their order', async () => {
    const clock = virtualClock()
    let running = 0
    let most = 0
    const checks = Array.from(
      { length: 40 },
      (_, i): LiveCheck => ({
        what: String(i),
        async run() {
          most = Math.max(most, ++running)
          await clock.sleep(1000 - i)
          running--
          return ok('')
        },
      }),
    )
    const rows = runLiveChecks(checks, { clock })
    await clock.advance(10_000)
    expect((await rows).map(({ what }) => what)).toEqual(checks.map(({ what }) => what))
    expect(most).toBe(16)
  })

  test('tells each row as soon as those before it are done', async () => {
    const clock = virtualClock()
    const passed: string[] = []
    const lasting = (what: string, ms: number) => ({ what, run: () => clock.sleep(ms).then(() => ok('')) })
    const checks = [lasting('a', 1000), lasting('b', 5000), lasting('c', 1000)]
    const running = runLiveChecks(checks, { clock, onRow: ({ what }) => void passed.push(what) })
    await clock.advance(4000)
    expect(passed).toEqual(['a'])
    await clock.advance(2000)
    await running
    expect(passed).toEqual(['a', 'b', 'c'])
  })
})

test('createLiveTable aligns columns and prints nothing that controls a terminal', () => {
  const { header, line } = createLiveTable(['AWS identity', 'clock'])
  expect([
    header,
    line({ what: 'AWS identity', result: 'ok', detail: 'fine' }),
    line({ what: 'clock', result: 'warning', detail: 'evil \u001b[2J\ntext' }),
  ]).toEqual([
    'what          result   detail\n',
    'AWS identity  ok       fine\n',
    'clock         warning  evil \\u001b[2J\\ntext\n',
  ])
})
