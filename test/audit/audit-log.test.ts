import { describe, expect, test } from 'vitest'
import { type AuditLog, createAuditLog } from '../../src/audit/audit-log.ts'
import { INDIVIDUAL_LIMIT } from '../../src/audit/flood-limits.ts'
import { createLifecycleRecords } from '../../src/audit/lifecycle-record.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { RETRY_MS } from '../../src/audit/sink-status.ts'
import { JetonError } from '../../src/errors.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import type { AuditBatch } from '../../src/telemetry/metrics.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, eventsOf } from '../support/service/log-recorder.ts'
import { fakeSink } from './fake-sink.ts'
import { record } from './support.ts'

function setUp(names = ['one']) {
  const fakes = names.map(fakeSink)
  const clock = virtualClock()
  const health = createHealth()
  const log = createLogRecorder()
  const reported: AuditBatch[] = []
  const metrics = {
    dropped: 0,
    counted: [] as string[],
    onBatchWritten: (batch: AuditBatch) => void reported.push(batch),
    onRefusalCounted: (limitOf: string) => void metrics.counted.push(limitOf),
    onRefusalsDropped: ({ count }: { count: number }) => {
      metrics.dropped += count
    },
  }
  const auditLog = createAuditLog({
    sinks: fakes.map(({ sink }) => sink),
    clock,
    health,
    log,
    metrics,
    instance: 'i',
  })
  /** Writes a vend's record; returns 'vended', or the code of the error. */
  const vend = (id: string) =>
    auditLog.write(record({ id })).then(
      () => 'vended',
      error => (error instanceof JetonError ? error.code : error),
    )
  let addresses = 0
  /** From an address of its own, in a wide network of its own, unless one is given. */
  const refuse = (id: string, fields: Partial<AuditRecord> = {}, options = {}) => {
    const time = new Date(clock.now()).toISOString()
    const sourceIp = `${10 + (addresses >> 8)}.${addresses++ & 255}.0.1`
    const refused = { id, time, decision: 'refused', code: 'access_denied', sourceIp } as const
    auditLog.admitRefusal(record({ ...refused, ...fields }), options)?.write()
  }
  return { auditLog, clock, health, log, metrics, reported, vend, refuse, fakes, fake: fakes[0]! }
}

const numbered = (count: number, prefix = 'v') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  await settle()
  const pending = Symbol()
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

test('write resolves when the record is in every sink', async () => {
  const { vend, fakes } = setUp(['one', 'other'])
  fakes[1]!.hold()
  const vended = vend('a')
  expect(await isSettled(vended)).toBe(false)
  expect(fakes[0]!.ids()).toEqual(['a'])
  fakes[1]!.release()
  expect(await vended).toBe('vended')
  expect(fakes[1]!.ids()).toEqual(['a'])
})

test('records that arrive while a batch is written share the next one', async () => {
  const { vend, fake, reported } = setUp()
  fake.hold()
  const first = vend('first')
  await settle()
  const others = numbered(500).map(vend)
  await settle()
  fake.release()
  expect(await Promise.all([first, ...others])).toEqual(Array(501).fill('vended'))
  expect(fake.batches.map(batch => batch.length)).toEqual([1, 500])
  expect(reported.map(({ records, ok }) => [records, ok])).toEqual([
    [1, true],
    [500, true],
  ])
})

test('who is answered and asks again a turn later shares a batch with those who waited meanwhile', async () => {
  const { vend, fake } = setUp()
  fake.hold()
  const vendTwice = async (id: string) => {
    await vend(id)
    await new Promise(resolve => setImmediate(resolve))
    await vend(`${id} again`)
  }
  const early = numbered(4, 'early').map(vendTwice)
  await settle()
  const late = numbered(4, 'late').map(vend)
  fake.release()
  await Promise.all([...early, ...late])
  expect(fake.batches.map(batch => batch.length)).toEqual([4, 8])
})

/** Writes records by `writeLine`; the callback of the one named `bug` throws. Returns what was called back, in order. */
function writeLines(auditLog: AuditLog, ids: readonly string[]): string[] {
  const outcomes: string[] = []
  for (const id of ids)
    auditLog.writeLine(renderRecord(record({ id })), error => {
      outcomes.push(`${id} ${error?.code ?? 'vended'}`)
      if (id === 'bug') throw new Error('a secret')
    })
  return outcomes
}

test('a callback that throws is logged without its message, and the others and the next batch go on', async () => {
  const { auditLog, vend, fake, log } = setUp()
  const outcomes = writeLines(auditLog, ['a', 'bug', 'b'])
  expect(outcomes).toEqual([])
  expect(await vend('c')).toBe('vended')
  expect(outcomes).toEqual(['a vended', 'bug vended', 'b vended'])
  fake.fail(new Error('full'))
  const refused = writeLines(auditLog, ['bug', 'd'])
  expect(await vend('e')).toBe('temporarily_unavailable')
  expect(refused).toEqual(['bug temporarily_unavailable', 'd temporarily_unavailable'])
  fake.fail(undefined)
  expect(await vend('f')).toBe('vended')
  expect(eventsOf(log)).toEqual(['request_failed', 'request_failed', 'audit_failing', 'audit_recovered'])
  expect(JSON.stringify(log.lines)).not.toContain('secret')
})

test('a callback that throws when a sink hangs keeps the others from nothing', async () => {
  const { auditLog, clock, fake } = setUp()
  fake.hold()
  const outcomes = writeLines(auditLog, ['bug', 'a'])
  await settle()
  const waiting = writeLines(auditLog, ['bug', 'b'])
  await clock.advance(2000)
  expect([...outcomes, ...waiting]).toEqual(
    ['bug', 'a', 'bug', 'b'].map(id => `${id} temporarily_unavailable`),
  )
})

test('a record that is written by the callback of one that waited too long is not lost', async () => {
  const { auditLog, vend, clock, fake } = setUp()
  Object.assign(fake.sink, { maxWrites: 1 })
  fake.hold()
  const first = vend('first')
  await settle()
  void vend('second')
  let again: Promise<string> | undefined
  auditLog.writeLine(renderRecord(record({ id: 'third' })), () => {
    again = vend('fourth')
  })
  await clock.advance(1900)
  fake.release()
  fake.hold()
  expect(await first).toBe('vended')
  await clock.advance(100)
  fake.release()
  expect(await again).toBe('vended')
  expect(fake.ids()).toEqual(['first', 'second', 'fourth'])
})

test('a vend does not wait behind those that another sink has refused', async () => {
  const { vend, fakes } = setUp(['failing', 'slow'])
  const [failing, slow] = [fakes[0]!, fakes[1]!]
  Object.assign(slow.sink, { maxWrites: 2 })
  slow.hold()
  const first = vend('first')
  await settle()
  failing.fail(new Error('full'))
  expect(await Promise.all(numbered(2, 'refused').map(vend))).toEqual(
    Array(2).fill('temporarily_unavailable'),
  )
  failing.fail(undefined)
  const last = vend('last')
  await settle()
  slow.release()
  await first
  expect(await isSettled(last)).toBe(true)
  expect(slow.ids()).toEqual(['first', 'last'])
})

test('a callback that throws because the log is closed is logged', async () => {
  const { auditLog, log } = setUp()
  await auditLog.close()
  expect(writeLines(auditLog, ['bug'])).toEqual([])
  await settle()
  expect(eventsOf(log)).toEqual(['request_failed'])
})

test('a batch is bounded, and the next continues in order', async () => {
  const { auditLog, fake } = setUp()
  const reason = 'r'.repeat(500)
  await Promise.all(numbered(3000).map(id => auditLog.write(record({ id, reason }))))
  expect(fake.batches.length).toBeGreaterThan(1)
  for (const batch of fake.batches) expect(batch.join().length).toBeLessThan(600 * 1024)
  expect(fake.ids()).toEqual(numbered(3000))
})

test('a sink that fails refuses vends, degrades health, and is used again', async () => {
  const { auditLog, vend, fake, health, log } = setUp()
  fake.fail(new Error('ENOSPC: no space left'))
  await expect(auditLog.write(record())).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    publicMessage: 'the audit log cannot be written',
    reason: 'audit sink one: ENOSPC: no space left',
    retryAfterMs: 1000,
  })
  expect(await vend('b')).toBe('temporarily_unavailable')
  expect(health.degraded()).toEqual(['log'])
  fake.fail(undefined)
  expect(await vend('c')).toBe('vended')
  expect(health.degraded()).toEqual([])
  expect(eventsOf(log)).toEqual(['audit_failing', 'audit_recovered'])
})

const errors = ({ log }: ReturnType<typeof setUp>) =>
  log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.event)

test('a sink that keeps failing is logged again each minute that it is tried', async () => {
  const one = setUp()
  one.fake.fail(new Error('full'))
  for (const pauseMs of [30_000, 29_999, 1]) {
    await one.vend('in vain')
    expect(errors(one)).toEqual(['audit_failing'])
    await one.clock.advance(pauseMs)
  }
  for (let i = 0; i < 3; i++) await one.vend('in vain')
  expect(errors(one)).toEqual(Array(2).fill('audit_failing'))

  one.fake.fail(undefined)
  await one.vend('well')
  one.fake.fail(new Error('full'))
  await one.vend('again')
  expect(errors(one)).toEqual(Array(3).fill('audit_failing'))
})

test('a sink that keeps hanging is logged again each minute that a vend is refused because of it', async () => {
  const one = setUp()
  one.fake.hold()
  void one.vend('flying')
  await one.clock.advance(2000)
  for (let second = 0; second < 60; second++) {
    await one.vend(`v${second}`)
    expect(errors(one)).toEqual(['audit_hanging'])
    await one.clock.advance(1000)
  }
  for (let i = 0; i < 10; i++) await one.vend(`w${i}`)
  expect(errors(one)).toEqual(Array(2).fill('audit_hanging'))
})

test('one sink that fails refuses the vend, and a sound one does not hide it', async () => {
  const { vend, fakes, health } = setUp(['one', 'other'])
  fakes[1]!.fail(new Error('broken'))
  expect(await vend('a')).toBe('temporarily_unavailable')
  expect(health.degraded()).toEqual(['log'])
})

test('a sink that hangs refuses vends after 2 s, then at once, until it answers', async () => {
  const { vend, clock, fake, health } = setUp()
  fake.hold()
  const inFlight = vend('flying')
  await clock.advance(1000)
  const waiting = vend('waiting')
  await clock.advance(999)
  expect(await isSettled(inFlight)).toBe(false)
  await clock.advance(1)
  expect(await isSettled(inFlight)).toBe(true)
  expect(await inFlight).toBe('temporarily_unavailable')
  expect(health.degraded()).toEqual(['log'])
  expect(await isSettled(waiting)).toBe(false)
  expect(await isSettled(vend('late'))).toBe(true)
  await clock.advance(1000)
  expect(await waiting).toBe('temporarily_unavailable')

  fake.release()
  await settle()
  expect(health.degraded()).toEqual([])
  expect(await vend('after')).toBe('vended')
  // the one in flight could no longer be stopped; the others must never be written
  expect(fake.ids()).toEqual(['flying', 'after'])
})

test('a record that hangs in one sink is not written later to another that was only slow', async () => {
  const { vend, clock, fakes } = setUp(['hung', 'slow'])
  for (const fake of fakes) fake.hold()
  const first = vend('first')
  await clock.advance(500)
  const second = vend('second')
  await clock.advance(2000)
  expect([await first, await second]).toEqual(Array(2).fill('temporarily_unavailable'))
  fakes[1]!.release()
  await settle()
  expect(await vend('third')).toBe('temporarily_unavailable')
  expect(fakes[1]!.ids()).toEqual(['first'])
})

test('a record that one sink refuses at once is not written later to another', async () => {
  const { vend, fakes } = setUp(['failing', 'slow'])
  fakes[1]!.hold()
  const first = vend('first')
  await settle()
  fakes[0]!.fail(new Error('full'))
  expect(await vend('second')).toBe('temporarily_unavailable')
  fakes[0]!.fail(undefined)
  const third = vend('third')
  fakes[1]!.release()
  expect([await first, await third]).toEqual(['vended', 'vended'])
  expect(fakes.map(fake => fake.ids())).toEqual([
    ['first', 'third'],
    ['first', 'third'],
  ])
})

test('a vend refused because one sink hangs already is written to no other', async () => {
  const { vend, clock, fakes } = setUp(['sound', 'hung'])
  fakes[1]!.hold()
  const first = vend('first')
  await clock.advance(2000)
  expect([await first, await vend('second')]).toEqual(Array(2).fill('temporarily_unavailable'))
  await settle()
  expect(fakes[0]!.ids()).toEqual(['first'])
})

test('a sink that is slow but answers within 2 s refuses nothing', async () => {
  const { vend, clock, fake, health } = setUp()
  for (const id of ['a', 'b', 'c']) {
    fake.hold()
    const vended = vend(id)
    await clock.advance(1900)
    fake.release()
    expect(await vended).toBe('vended')
  }
  expect(health.degraded()).toEqual([])
})

test('a refusal is admitted and written without waiting for a sink, and neither throws', async () => {
  const { refuse, fake, auditLog } = setUp()
  refuse('a')
  expect(fake.ids()).toEqual([])
  await settle()
  expect(fake.ids()).toEqual(['a'])
  const claims = {} as Record<string, never>
  Object.assign(claims, { round: claims })
  auditLog.admitRefusal(record({ principal: { issuer: 'i', subject: 's', claims } }))?.write()
})

test('a sink checks its records each minute, but not while it writes', async () => {
  const { auditLog, vend, fake } = setUp()
  let checks = 0
  Object.assign(fake.sink, { check: async () => void checks++ })
  auditLog.flushDue()
  expect(checks).toBe(1)
  fake.hold()
  const vended = vend('a')
  await settle()
  auditLog.flushDue()
  expect(checks).toBe(1)
  fake.release()
  await vended
})

test('a batch has no more vends than its sink takes at once, and other sinks are not bounded by it', async () => {
  const { vend, fakes } = setUp(['one', 'other'])
  Object.assign(fakes[0]!.sink, { maxWrites: 100 })
  expect(await Promise.all(numbered(250).map(vend))).toEqual(Array(250).fill('vended'))
  expect(fakes[0]!.batches.map(batch => batch.length)).toEqual([100, 100, 50])
  expect(fakes[1]!.batches.map(batch => batch.length)).toEqual([250])
  expect(fakes[0]!.ids()).toEqual(numbered(250))
})

test('refusals never delay vends: at most 100 go along in a batch, after the vends', async () => {
  const { refuse, vend, fake } = setUp()
  fake.hold()
  const first = vend('first')
  await settle()
  for (const id of numbered(900, 'r')) refuse(id)
  const second = vend('second')
  fake.release()
  await Promise.all([first, second])
  const batch = fake.batches[1] ?? []
  expect(batch).toHaveLength(101)
  expect(batch[0]).toContain('"second"')
  for (let i = 0; i < 10; i++) await settle()
  expect(fake.ids().sort()).toEqual(['first', 'second', ...numbered(900, 'r')].sort())
})

test('refusals beyond the queue are counted, and a later record says how many', async () => {
  const { refuse, fake, metrics } = setUp()
  fake.hold()
  refuse('taken')
  await settle()
  for (const id of numbered(1250, 'r')) refuse(id)
  expect(metrics.dropped).toBe(250)
  fake.release()
  for (let i = 0; i < 20; i++) await settle()
  expect(fake.records()).toHaveLength(1002)
  expect(fake.records().at(-1)).toMatchObject({
    decision: 'refused',
    code: 'not_recorded',
    count: 250,
    instance: 'i',
  })
})

test('the refusals of entitled principals have room of their own in the queue, and go first', async () => {
  const { refuse, fake, metrics } = setUp()
  fake.hold()
  refuse('taken')
  await settle()
  for (const id of numbered(1100, 'r')) refuse(id)
  const principal = { issuer: 'ci', subject: 'deployer' }
  refuse('thief', { principal }, { entitledBy: 'deploy' })
  fake.release()
  await settle()
  expect(fake.ids()[1]).toBe('thief')
  for (let i = 0; i < 20; i++) await settle()
  expect(metrics.dropped).toBe(100)
  expect(fake.records().filter(({ code }) => code === 'not_recorded')).toMatchObject([{ count: 100 }])
})

test('a counting record without room in the queue is lost with all that it counts', async () => {
  const { refuse, fake, metrics, auditLog } = setUp()
  fake.hold()
  refuse('taken')
  await settle()
  for (let i = 0; i < INDIVIDUAL_LIMIT + 40; i++) refuse(`x${i}`, { sourceIp: '192.0.2.1' })
  for (const id of numbered(1000 - INDIVIDUAL_LIMIT, 'r')) refuse(id)
  const closed = auditLog.close()
  fake.release()
  await closed
  expect(metrics.dropped).toBe(40)
  expect(metrics.counted).toEqual(Array(40).fill('address'))
  expect(fake.records().at(-1)).toMatchObject({ code: 'not_recorded', count: 40 })
})

test('refusals that a sink failed to take are written once it works, and do not try it in between', async () => {
  const { refuse, clock, fake, auditLog, reported } = setUp()
  fake.fail(new Error('broken'))
  refuse('a')
  await settle()
  refuse('b')
  await settle()
  expect(reported).toHaveLength(1)
  fake.fail(undefined)
  await clock.advance(1000)
  auditLog.flushDue()
  await settle()
  expect(fake.ids()).toEqual(['a', 'b'])
})

test('a flood from one source is a hundred records, and one that counts the others after the minute', async () => {
  const { refuse, clock, fake, auditLog } = setUp()
  for (let i = 0; i < 500; i++) {
    refuse(`x${i}`, { sourceIp: '192.0.2.1', code: 'unauthenticated' })
    if (i % 100 === 99) await clock.advance(1000)
  }
  for (const id of numbered(5, 'y')) refuse(id, { sourceIp: '192.0.2.2' })
  await settle()
  expect(fake.records()).toHaveLength(INDIVIDUAL_LIMIT + 5)
  await clock.advance(55_000)
  auditLog.flushDue()
  await settle()
  const counting = fake.records().at(-1)
  expect(fake.records()).toHaveLength(INDIVIDUAL_LIMIT + 6)
  expect(counting).toMatchObject({
    decision: 'refused',
    code: 'unauthenticated',
    sourceIp: '192.0.2.1',
    count: 500 - INDIVIDUAL_LIMIT,
    since: '2026-11-23T10:00:01.000Z',
    time: '2026-11-23T10:00:04.000Z',
  })
  await clock.advance(60_000)
  auditLog.flushDue()
  await settle()
  expect(fake.records()).toHaveLength(INDIVIDUAL_LIMIT + 6)
})

test('a flood that is over is counted with whatever comes next, and at the close', async () => {
  const { refuse, clock, fake, auditLog, vend } = setUp()
  for (const id of numbered(INDIVIDUAL_LIMIT + 20, 'x')) refuse(id, { sourceIp: '192.0.2.1' })
  await clock.advance(60_000)
  await vend('a')
  await settle()
  expect(fake.records().filter(({ count }) => count === 20)).toHaveLength(1)
  for (const id of numbered(INDIVIDUAL_LIMIT + 20, 'x')) refuse(id, { sourceIp: '192.0.2.1' })
  await auditLog.close()
  expect(fake.records().filter(({ count }) => count === 20)).toHaveLength(2)
  expect(fake.isClosed()).toBe(true)
})

test('close writes what waits, and nothing is taken after it', async () => {
  const { auditLog, vend, refuse, fake } = setUp()
  expect(auditLog.headHash()).toBeUndefined()
  const vended = vend('a')
  for (const id of numbered(250, 'r')) refuse(id)
  await Promise.all([auditLog.close(), auditLog.close()])
  expect(await vended).toBe('vended')
  expect(fake.ids()).toHaveLength(251)
  expect(auditLog.headHash()).toBe(`head-${fake.batches.length}`)
  expect(await vend('late')).toBe('temporarily_unavailable')
})

test('close gives up on a sink that hangs after 2 s, and on refusals if it fails', async () => {
  const hung = setUp(['hung', 'well'])
  hung.fakes[0]!.hold()
  const vended = hung.vend('a')
  await settle()
  const close = hung.auditLog.close()
  await hung.clock.advance(1999)
  expect(await isSettled(close)).toBe(false)
  await hung.clock.advance(1)
  await close
  expect(await vended).toBe('temporarily_unavailable')
  expect(hung.fakes[1]!.isClosed()).toBe(true)
  expect(hung.log.lines.map(({ fields }) => [fields.event, fields.sink])).toContainEqual([
    'audit_abandoned',
    'hung',
  ])

  const broken = setUp()
  broken.fake.fail(new Error('broken'))
  broken.refuse('a')
  await broken.auditLog.close()
  expect(broken.fake.isClosed()).toBe(true)
})

test('close logs a sink that cannot be closed, and resolves', async () => {
  const { auditLog, fake, log } = setUp()
  fake.sink.close = () => Promise.reject(new Error('broken'))
  await auditLog.close()
  expect(eventsOf(log)).toEqual(['audit_close_failed'])
})

test('createAuditLog throws without a sink', () => {
  expect(() => setUp([])).toThrow('at least one sink')
})

describe('announce', () => {
  const lifecycle = createLifecycleRecords({
    clock: virtualClock(),
    instance: 'i',
    version: '1.2.3',
    configPath: 'jeton.yaml',
  })
  const stopped = (signal?: string) =>
    lifecycle.stopped({ origin: { sha256: 'ab'.repeat(32), files: {} } }, signal)
  const typesIn = (fake: ReturnType<typeof fakeSink>) =>
    fake.records().map(({ type, id }) => (type === 'jeton.audit' ? id : type))

  test('starts no batch, and goes ahead of the next record in each sink', async () => {
    const { auditLog, vend, fakes } = setUp(['one', 'other'])
    auditLog.announce(stopped())
    await settle()
    expect(fakes[0]!.batches).toEqual([])
    await vend('a')
    for (const fake of fakes) expect(typesIn(fake)).toEqual(['jeton.audit.stopped', 'a'])
  })

  test('writes nothing unprintable as it is', async () => {
    const { auditLog, fake } = setUp()
    auditLog.announce({ ...stopped(), configuration: { source: '/etc/\u009b2J\u202e\n.yaml' } })
    await auditLog.drain()
    expect(fake.batches.flat().join()).toContain('"source":"/etc/\\u009b2J\\u202e\\n.yaml"')
    await auditLog.close({ ...stopped(), instance: 'host\u009b\u202e' })
    expect(fake.batches.flat().at(-1)).toContain('"instance":"host\\u009b\\u202e"')
  })

  test.each(['flushDue', 'drain'] as const)('is written by %s', async method => {
    const { auditLog, fake } = setUp()
    auditLog.announce(stopped())
    await auditLog[method]()
    await settle()
    expect(typesIn(fake)).toEqual(['jeton.audit.stopped'])
  })

  test('goes ahead of vends that wait for a batch to end, so that none by new rules is written before it', async () => {
    const { auditLog, vend, fake } = setUp()
    fake.hold()
    const first = vend('a')
    await settle()
    auditLog.announce(stopped())
    const second = vend('b')
    fake.release()
    expect(await Promise.all([first, second])).toEqual(['vended', 'vended'])
    expect(typesIn(fake)).toEqual(['a', 'jeton.audit.stopped', 'b'])
  })

  test('is tried again until the sink takes it, ahead of the vend that then succeeds', async () => {
    const { auditLog, vend, fake, clock } = setUp()
    fake.fail(new Error('full'))
    auditLog.announce(stopped('SIGTERM'))
    auditLog.flushDue()
    await settle()
    expect(await vend('a')).toBe('temporarily_unavailable')
    await auditLog.drain()
    auditLog.announce(stopped('SIGINT'))
    fake.fail(undefined)
    await clock.advance(RETRY_MS)
    expect(await vend('b')).toBe('vended')
    expect(fake.records().map(({ signal, id }) => signal ?? id)).toEqual(['SIGTERM', 'SIGINT', 'b'])
  })

  test('close writes its record last, after refusals and counts, and drain and close end if the sink fails', async () => {
    const { auditLog, vend, refuse, fake } = setUp()
    await vend('a')
    refuse('r')
    auditLog.announce(stopped('SIGHUP'))
    await auditLog.close(stopped('SIGTERM'))
    expect(fake.records().map(({ signal, id }) => signal ?? id)).toEqual(['a', 'SIGHUP', 'r', 'SIGTERM'])
    const failing = setUp()
    failing.fake.fail(new Error('full'))
    failing.auditLog.announce(stopped())
    await failing.auditLog.drain()
    await failing.auditLog.close(stopped())
    expect([failing.fake.batches, failing.fake.isClosed()]).toEqual([[], true])
  })
})
