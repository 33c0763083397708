import { EventEmitter } from 'node:events'
import { lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { renderRecord } from '../../../src/audit/record.ts'
import { forwardCommand } from '../../../src/cli/forward/command.ts'
import type { ForwardArguments } from '../../../src/cli/forward/forward-arguments.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createSink, startOwnDynamodb, TABLE } from '../../audit/dynamodb/support.ts'
import { createGrowingLog } from '../../audit/follow/growing-log.ts'
import { folder, recordAt } from '../../audit/support.ts'
import { sound, written as writtenConfig } from '../../config/support.ts'
import { eventually } from '../../support/proxy/eventually.ts'
import { recordStreams } from '../record-streams.ts'
import { startReceiver } from './test-receiver.ts'

const SECRET = 'c2VjcmV0LW9mLXRoZS1yZWNlaXZlcg'

async function setUp() {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const target = await startReceiver()
  const env: Record<string, string> = { JETON_FORWARD_AUTHORIZATION: `Bearer ${SECRET}` }

  /** Starts the command, on the file unless it is told otherwise. */
  function start(args: Partial<ForwardArguments> = {}) {
    const { streams, written } = recordStreams()
    const host = new EventEmitter()
    const stream = {
      log: '',
      write(line: string) {
        stream.log += line
      },
    }
    const ended = forwardCommand(
      { file: path, configPath: 'none.yaml', to: `${target.url}?key=${SECRET}`, ...args },
      { ...streams, env, fetch, clock: systemClock(), random: Math.random, host, stream },
    ).finally(() => {
      expect(host.eventNames()).toEqual([])
      expect(`${written.stdout}${written.stderr}${stream.log}`).not.toContain(SECRET)
    })
    const events = () => stream.log.split('\n').flatMap(line => (line ? [JSON.parse(line).event] : []))
    const stop = () => {
      host.emit('SIGTERM')
      return ended
    }
    onTestFinished(() => void stop())
    return { ended, written, events, stop }
  }

  const once = async (args: Partial<ForwardArguments> = {}) => {
    const { ended, written, events } = start({ once: true, ...args })
    return { exitCode: await ended, ...written, events: events() }
  }
  const cursor = join(dir, 'forward-audit.jsonl.cursor')
  const readCursor = async () => JSON.parse(await readFile(cursor, 'utf8'))
  return { dir, path, log: createGrowingLog(), target, env, start, once, cursor, readCursor }
}

test('what is there is sent once, and then what came since; the cursor says how far', async () => {
  const { dir, path, log, target, once, cursor, readCursor } = await setUp()
  await log.write(path, 'a', 'b')
  const first = await once({ fromStart: true })
  expect(first).toMatchObject({ exitCode: 0, stderr: '', events: ['forward_started', 'forward_stopped'] })
  expect(JSON.parse(first.stdout)).toEqual({
    msg: 'forwarding',
    log: `file ${path}`,
    to: `http://127.0.0.1:${target.port}`,
    format: 'cloudevents',
    cursor,
  })
  expect(await readCursor()).toEqual({
    v: 1,
    log: `file ${path}`,
    position: {
      file: path,
      offset: (await stat(path)).size,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      time: '2026-11-23T12:00:01.000Z',
    },
  })
  expect((await stat(cursor)).mode & 0o777).toBe(0o600)
  await log.write(path, 'c')
  await rename(path, `${path}.1`)
  await log.write(path, 'd')
  expect((await once({ fromStart: true, batch: '1', format: 'ocsf' })).exitCode).toBe(0)
  expect(target.accepted()).toEqual(['a', 'b', 'c', 'd'])
  expect(target.requests.map(({ headers }) => headers['content-type'])).toEqual([
    'application/cloudevents-batch+json',
    'application/x-ndjson',
    'application/x-ndjson',
  ])
  expect((await readdir(dir)).sort()).toEqual(['audit.jsonl', 'audit.jsonl.1', 'forward-audit.jsonl.cursor'])
})

test('once ends with what was there, even if the log grows all the time', async () => {
  const { path, log, target, once } = await setUp()
  await log.write(path, 'a', 'b')
  let written = 0
  target.answer = () => {
    if (written < 20) void log.write(path, `later-${written++}`)
    return { status: 200 }
  }
  expect((await once({ fromStart: true, batch: '3' })).exitCode).toBe(0)
  expect([target.accepted(), target.requests.length]).toEqual([['a', 'b'], 1])
})

test('without a cursor it begins now, also if nothing could be sent until it started again', async () => {
  const { path, log, target, once, start } = await setUp()
  await log.write(path, 'old')
  expect((await once()).exitCode).toBe(0)
  target.answer = () => ({ status: 503 })
  const { stop, events } = start()
  await log.write(path, 'new')
  await eventually(() => events().includes('forward_waiting'), true)
  expect(await stop()).toBe(0)
  target.answer = () => ({ status: 200 })
  expect((await once()).exitCode).toBe(0)
  expect(target.accepted()).toEqual(['new'])
})

test('it goes on until SIGTERM, says whether all is well, and ends with the batch that is under way', async () => {
  const { path, log, target, start, once } = await setUp()
  await log.write(path, 'a')
  const { stop, written, events } = start({ fromStart: true, health: '0' })
  await eventually(() => target.accepted(), ['a'])
  expect(JSON.parse(written.stdout).msg).toBe('forwarding')
  await log.write(path, 'b')
  await eventually(() => target.accepted(), ['a', 'b'])
  target.answer = () => 'hang'
  const requests = target.requests.length
  await log.write(path, 'c')
  await eventually(() => target.requests.length, requests + 1)
  const ended = stop()
  await target.close()
  expect(await ended).toBe(0)
  expect(events().at(-1)).toBe('forward_stopped')
  const again = await startReceiver(target.port)
  expect((await once()).exitCode).toBe(0)
  expect(again.accepted()).toEqual(['c'])
})

test('a cursor is one process’s, and one log’s', async () => {
  const { dir, path, log, start, once, cursor, target } = await setUp()
  await log.write(path, 'a')
  const { stop } = start({ fromStart: true })
  await eventually(() => target.accepted(), ['a'])
  expect(await once()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('is in use by another process'),
  })
  await stop()
  const other = join(dir, 'other.jsonl')
  await createGrowingLog().write(other, 'x')
  expect(await once({ file: other, cursor })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('is the cursor of another log'),
  })
  await rename(cursor, `${dir}/on-a-volume`)
  await symlink(`${dir}/on-a-volume`, cursor)
  await log.write(path, 'b')
  expect((await once()).exitCode).toBe(0)
  expect((await lstat(cursor)).isSymbolicLink()).toBe(true)
  expect((await once({ cursor: `${dir}/on-a-volume` })).exitCode).toBe(0)
  expect(await once({ cursor: '/dev/null' })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('is no regular file'),
  })
  await writeFile(cursor, '{"v":1,')
  expect(await once()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is no cursor') })
  expect(target.accepted()).toEqual(['a', 'b'])
})

test.each([
  [{ to: undefined }, 'where to?'],
  [{ to: 'http://collector.example.com/' }, 'must begin with https://'],
  [{ to: `https://user:${SECRET}@collector.example.com/` }, 'contains a user or password'],
  [{ format: 'xml' }, '--format takes one of cloudevents, ocsf, json'],
  [{ batch: '0' }, '--batch takes a number from 1 to 10000'],
  [{ timeout: 'x' }, '--timeout takes a number'],
  [{ from: 'yesterday' }, '--from takes a time'],
  [{ from: '1h', fromStart: true }, 'give one of them'],
  [{ health: 'x' }, '--health takes a port'],
  [{ file: undefined }, 'name another with --config'],
] as [Partial<ForwardArguments>, string][])(
  '%j is a usage error, or one of the configuration',
  async (args, text) => {
    const { path, log, once, target } = await setUp()
    await log.write(path, 'a')
    const outcome = await once(args).catch(cause => ({ exitCode: 2, stderr: cause.problems[0].message }))
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain(text)
    expect(target.requests).toEqual([])
  },
)

test('a header file or a proxy that cannot be used, or a file without a chain, is said at the start', async () => {
  const { path, log, once, target, env } = await setUp()
  await writeFile(path, '{"type":"jeton.audit"}\n')
  expect(await once({ fromStart: true })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no record of a hash chain'),
  })
  await writeFile(path, '')
  await log.write(path, 'a')
  expect(await once({ headerFile: `${path}.none` })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('(ENOENT)'),
  })
  // as of a shell's <(…), whose second read would have no credential
  expect(await once({ headerFile: '/dev/null' })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is no regular file'),
  })
  env.HTTPS_PROXY = `socks5://user:${SECRET}@proxy.example.com`
  expect(await once()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('HTTPS_PROXY must be') })
  expect(target.requests).toEqual([])
})

test('a log that is not there is waited for, and said; once there is none, it is an error', async () => {
  const { dir, path, log, target, start, once } = await setUp()
  expect(await once()).toMatchObject({ exitCode: 1, stderr: `jeton: there is no file ${path}\n` })
  expect(await readdir(dir)).toEqual([])
  const { events, stop } = start()
  await eventually(() => events(), ['forward_started', 'forward_log_absent'])
  await log.write(path, 'a')
  await eventually(() => target.accepted(), ['a'])
  await stop()
  // rotated, and nothing is written since
  await rename(path, `${path}.1`)
  expect((await once()).exitCode).toBe(0)
  expect((await once({ cursor: `${dir}/other`, fromStart: true })).exitCode).toBe(0)
  expect(target.accepted()).toEqual(['a', 'a'])
})

test('a port for --health that cannot be had leaves no lock behind', async () => {
  const { dir, path, log, once, target } = await setUp()
  await log.write(path, 'a')
  const { exitCode, stderr } = await once({ health: `${target.port}` })
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('another program listens there')])
  expect(await readdir(dir)).toEqual(['audit.jsonl'])
})

test('a refusal ends it with exit code 3, and the cursor stays where it is', async () => {
  const { path, log, once, target, readCursor } = await setUp()
  await log.write(path, 'a', 'b', 'c')
  await once({ from: '2026-11-23T12:00:01Z', batch: '1' })
  expect(target.accepted()).toEqual(['b', 'c'])
  const before = await readCursor()
  target.answer = () => ({ status: 401 })
  await log.write(path, 'd')
  const { exitCode, stderr } = await once()
  expect([exitCode, await readCursor()]).toEqual([3, before])
  expect(stderr).toMatch(/^jeton: the receiver answered 401, .*\n$/)
})

test('a log that cannot be read is tried again, and says so', async () => {
  const { path, log, target, start } = await setUp()
  await log.write(path, 'a')
  const { events } = start({ fromStart: true })
  await eventually(() => target.accepted(), ['a'])
  await rename(path, `${path}.1`)
  await mkdir(path)
  const other = `${path}-new`
  await log.write(other, 'b')
  await rename(other, `${path}.2`)
  await eventually(() => target.accepted(), ['a', 'b'])
  expect(events()).not.toContain('forward_records_missing')
})

test('the table of a configuration is sent, with a cursor in the folder for state', async () => {
  await startOwnDynamodb()
  const { dir, target, once, env } = await setUp()
  const now = Date.now()
  const sink = createSink()
  await sink.append([now - 60_000, now - 30_000, now - 3_600_000].map(each => renderRecord(recordAt(each))))
  const configPath = await writtenConfig({ ...sound(), audit: [{ type: 'dynamodb', table: TABLE }] })
  const refused = async () => (await once({ file: undefined, configPath, fromStart: true })).stderr
  expect(await refused()).toContain('HOME is not set')
  env.XDG_STATE_HOME = join(dir, 'state')
  expect(await refused()).toContain('give --from')
  expect((await once({ file: undefined, configPath, from: '10m' })).exitCode).toBe(0)
  expect(target.accepted()).toHaveLength(2)
  await sink.append([renderRecord(recordAt(now - 45_000))])
  expect((await once({ file: undefined, configPath })).exitCode).toBe(0)
  expect(target.accepted()).toHaveLength(3)
  expect(await readdir(join(dir, 'state', 'jeton'))).toEqual([`forward-${TABLE}.cursor`])
})
