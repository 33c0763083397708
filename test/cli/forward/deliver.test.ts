import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDeliver } from '../../../src/cli/forward/deliver.ts'
import { FORWARD_FORMATS } from '../../../src/cli/forward/formats.ts'
import { createForwardState } from '../../../src/cli/forward/forward-state.ts'
import { createReceiver } from '../../../src/cli/forward/receiver.ts'
import { createReadHeaders } from '../../../src/cli/forward/request-headers.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createEgressFetch } from '../../../src/lib/egress-fetch.ts'
import { readEgressProxies } from '../../../src/lib/egress-proxies.ts'
import type { Environment } from '../../../src/lib/process-input.ts'
import { parsed, record } from '../../audit/support.ts'
import { startEgressProxy } from '../../support/egress/egress-proxy.ts'
import { createLogRecorder, eventsOf } from '../../support/service/log-recorder.ts'
import { idsIn, type ReceiverAnswer, startReceiver } from './test-receiver.ts'

const SECRET = 'c2VjcmV0LW9mLXRoZS1yZWNlaXZlcg'
const RECORDS = ['a', 'b', 'c', 'd', 'e'].map(id => parsed(record({ id })))

interface Setting {
  patienceMs?: number
  timeoutMs?: number
  skippedIds?: readonly string[]
  headerFile?: string
  env?: Environment
}

/** A delivery whose waits take no time. */
async function setUp({ patienceMs, timeoutMs = 5000, skippedIds = [], headerFile, env = {} }: Setting = {}) {
  const target = await startReceiver()
  const [log, stop, abort] = [createLogRecorder(), new AbortController(), new AbortController()]
  const waits: number[] = []
  let waited = 0
  const clock = {
    ...systemClock(),
    now: () => Date.now() + waited,
    async sleep(ms: number) {
      waits.push(ms)
      waited += ms
      await onWait(ms)
    },
  }
  let onWait = async (_ms: number) => {}
  const receiver = createReceiver({
    url: new URL(target.url),
    readHeaders: createReadHeaders({ headerFile, env }),
    fetch,
    clock: systemClock(),
    timeoutMs,
  })
  const state = createForwardState(clock)
  const acknowledged: number[] = []
  const deliver = createDeliver({
    receiver,
    format: FORWARD_FORMATS.cloudevents ?? expect.fail(),
    skippedIds,
    patienceMs: patienceMs ?? Number.POSITIVE_INFINITY,
    clock,
    random: () => 0.5,
    log,
    state,
    stop: stop.signal,
    abort: abort.signal,
  })
  return {
    target,
    log,
    stop,
    abort,
    waits,
    state,
    acknowledged,
    deliver: (records = RECORDS) => deliver(records, async count => void acknowledged.push(count)),
    setOnWait: (act: typeof onWait) => {
      onWait = act
    },
  }
}

/** Answers these in order, and then 200. */
function answers(...list: ReceiverAnswer[]): () => ReceiverAnswer {
  return () => list.shift() ?? { status: 200 }
}

async function headerFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forward-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'headers'), text)
  return join(folder, 'headers')
}

test('a batch is one POST with the headers of the operator, read anew for each', async () => {
  const file = await headerFile(
    `# for the collector\nAuthorization: Splunk ${SECRET}\r\nX-Scope-OrgID: acme\n`,
  )
  const { target, deliver, acknowledged } = await setUp({
    headerFile: file,
    env: { JETON_FORWARD_AUTHORIZATION: 'Bearer other' },
  })
  expect(await deliver()).toBe(true)
  await writeFile(file, 'Content-Type: application/json')
  expect(await deliver()).toBe(true)
  expect(target.requests).toMatchObject([
    {
      method: 'POST',
      url: '/in',
      headers: {
        authorization: `Splunk ${SECRET}`,
        'x-scope-orgid': 'acme',
        'content-type': 'application/cloudevents-batch+json',
      },
    },
    { headers: { authorization: 'Bearer other', 'content-type': 'application/json' } },
  ])
  expect([target.accepted().join(''), acknowledged]).toEqual(['abcdeabcde', [5, 5]])
})

test.each([408, 425, 429, 500, 502, 503, 504])('%d is tried again, with longer waits', async status => {
  const { target, deliver, waits, log, state, setOnWait } = await setUp()
  target.answer = answers({ status }, { status }, { status })
  const problems: (string | undefined)[] = []
  setOnWait(async () => void problems.push(state.health.problem()))
  expect(await deliver()).toBe(true)
  problems.push(state.health.problem())
  expect(target.accepted()).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(waits).toEqual([1000, 2000, 4000])
  expect(eventsOf(log)).toEqual([
    'forward_waiting',
    'forward_waiting',
    'forward_waiting',
    'forward_recovered',
  ])
  const problem = `the receiver answered ${status}`
  expect(problems).toEqual([problem, problem, problem, undefined])
})

test('Retry-After is honoured, in seconds and as a date, an hour at most', async () => {
  const { target, deliver, waits } = await setUp()
  const after = (text: string) => ({ status: 429, headers: { 'retry-after': text } })
  target.answer = answers(
    after('7'),
    after('999999'),
    after('soon'),
    after(new Date(Date.now() + 2 * 3_600_000 + 3_620_000).toUTCString()),
  )
  await deliver()
  expect(waits.slice(0, 3)).toEqual([7000, 3_600_000, 4000])
  expect(waits).toHaveLength(4)
})

test('a receiver that is down, cuts connections or says nothing is tried again', async () => {
  const { target, deliver, waits, log, setOnWait, abort } = await setUp({ timeoutMs: 100 })
  target.answer = answers('hang')
  let restarted: Awaited<ReturnType<typeof startReceiver>> | undefined
  setOnWait(async () => {
    if (waits.length === 1) await target.close()
    if (waits.length === 2) restarted = await startReceiver(target.port)
  })
  expect(await deliver()).toBe(true)
  expect(restarted?.accepted()).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(log.lines.map(({ fields }) => fields.problem).slice(0, 2)).toEqual([
    'has not answered within 0.1 s',
    'cannot be reached (ECONNREFUSED)',
  ])
  expect(abort.signal.aborted).toBe(false)
})

test('a proxy gets a tunnel, and neither a record nor the credential', async () => {
  const target = await startReceiver()
  const host = 'collector.example.com:80'
  const proxy = await startEgressProxy({ routes: { [host]: target.port } })
  onTestFinished(() => proxy.close())
  const { findProxy } = readEgressProxies({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` })
  const receiver = createReceiver({
    url: new URL('http://collector.example.com/in'),
    readHeaders: createReadHeaders({ headerFile: undefined, env: { JETON_FORWARD_AUTHORIZATION: SECRET } }),
    fetch: createEgressFetch({ fetch, findProxy }),
    clock: systemClock(),
    timeoutMs: 5000,
  })
  const body = { contentType: 'application/json', text: '[]' }
  expect(await receiver.send(body, new AbortController().signal)).toEqual({ kind: 'accepted' })
  expect(target.requests).toMatchObject([{ headers: { authorization: SECRET }, body: '[]' }])
  expect(proxy.requests).toEqual([`CONNECT ${host}`])
  proxy.refusal = 407
  await target.close()
  expect(await receiver.send(body, new AbortController().signal)).toEqual({
    kind: 'later',
    problem: `cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_407)`,
    isOfBatch: true,
  })
})

test.each([301, 307, 401, 403, 404, 405, 410])(
  '%d ends it, for it will not pass, and nothing is dropped',
  async status => {
    const elsewhere = await startReceiver()
    const { target, deliver, acknowledged, waits, log } = await setUp({
      env: { JETON_FORWARD_AUTHORIZATION: `Bearer ${SECRET}` },
    })
    target.answer = () => ({ status, headers: { location: elsewhere.url }, body: `not with ${SECRET}` })
    const error = await deliver().catch(cause => cause)
    expect(error).toMatchObject({ exitCode: 3 })
    expect(error.message).toContain(`the receiver answered ${status}`)
    expect([acknowledged, waits, target.requests.length, elsewhere.requests.length]).toEqual([[], [], 1, 0])
    expect(JSON.stringify([error.message, log.lines])).not.toContain(SECRET)
  },
)

test('a batch that is too large is halved, and those after it grow again slowly', async () => {
  const { target, deliver, acknowledged, log } = await setUp()
  target.answer = request => ({ status: idsIn(request).length > 2 ? 413 : 200 })
  expect(await deliver()).toBe(true)
  expect([target.accepted().join(''), acknowledged]).toEqual(['abcde', [2, 4, 5]])
  expect(new Set(eventsOf(log))).toEqual(new Set(['forward_batch_halved']))
  target.answer = () => ({ status: 200 })
  const before = target.requests.length
  for (let batch = 0; batch < 4; batch++) await deliver()
  expect(target.requests.slice(before).map(each => idsIn(each).length)).toEqual([3, 2, 4, 1, 5, 5])
})

test.each([
  ['takes too long over it', 'hang'],
  ['answers 504', { status: 504 }],
  ['answers 408', { status: 408 }],
] as const)('a receiver that is too slow for a batch gets fewer records: it %s', async (_, answer) => {
  const { target, deliver, acknowledged, waits } = await setUp({ timeoutMs: 100 })
  target.answer = request => (idsIn(request).length > 2 ? answer : { status: 200 })
  expect(await deliver()).toBe(true)
  expect([target.accepted().join(''), acknowledged.at(-1)]).toEqual(['abcde', 5])
  expect(waits.slice(0, 2)).toEqual([1000, 2000])
})

test('one that has no time now gets as many records as before', async () => {
  const { target, deliver } = await setUp()
  target.answer = answers({ status: 429 }, { status: 503 })
  expect(await deliver()).toBe(true)
  expect(target.requests.map(each => idsIn(each).join(''))).toEqual(['abcde', 'abcde', 'abcde'])
})

test.each([400, 413, 422])(
  'a record that alone is refused with %d is named, after those before it',
  async status => {
    const { target, deliver, acknowledged } = await setUp()
    target.answer = request => ({ status: request.body.includes('"id":"d"') ? status : 200 })
    const error = await deliver().catch(cause => cause)
    expect(error).toMatchObject({ exitCode: 3 })
    expect(error.message).toMatch(
      new RegExp(`answered ${status} to the record d of 2026-11-23T10:00:00.000Z alone.*--skip`),
    )
    expect([target.accepted(), acknowledged.at(-1)]).toEqual([['a', 'b', 'c'], 3])
  },
)

test('a record that the operator gives up is left out, and said', async () => {
  const { target, deliver, acknowledged, log } = await setUp({ skippedIds: ['a', 'd'] })
  expect(await deliver()).toBe(true)
  expect([target.accepted(), acknowledged]).toEqual([['b', 'c', 'e'], [5]])
  expect(await deliver(RECORDS.slice(0, 1))).toBe(true)
  expect([target.requests.length, acknowledged]).toEqual([1, [5, 1]])
  expect(eventsOf(log)).toEqual([
    'forward_record_skipped',
    'forward_record_skipped',
    'forward_record_skipped',
  ])
})

test('a delivery that has only some patience ends with exit code 4', async () => {
  const { target, deliver } = await setUp({ patienceMs: 60_000 })
  target.answer = () => ({ status: 503 })
  await expect(deliver()).rejects.toMatchObject({ exitCode: 4, message: 'the receiver answered 503' })
  // 1, 2, 4, 8, 16 s
  expect(target.requests).toHaveLength(6)
})

test('a stop ends the wait for a receiver, and the request under way is finished', async () => {
  const { target, deliver, setOnWait, stop, acknowledged } = await setUp()
  target.answer = () => ({ status: 503 })
  setOnWait(async () => stop.abort())
  expect(await deliver()).toBe(false)
  expect([target.requests.length, acknowledged]).toEqual([1, []])
})

test.each([
  ['a line without a colon', `Bearer ${SECRET}`],
  ['a character that no header has', `Authorization: Bearer ${SECRET}\u{1f511}`],
  ['a header that belongs to jeton', `Content-Length: ${SECRET}`],
  ['one that is of the connection', `Keep-Alive: ${SECRET}`],
])('what is no header is refused without a request, and not quoted: %s', async (_, text) => {
  const { target, deliver } = await setUp({ headerFile: await headerFile(`\n${text}\n`) })
  const error = await deliver().catch(cause => cause)
  expect(error).toMatchObject({ exitCode: 3 })
  expect(error.message).toContain('line 2')
  expect(error.message).not.toContain(SECRET)
  expect(target.requests).toEqual([])
})
