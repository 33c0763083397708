import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { openSinks } from '../../src/audit/open-sinks.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { folder, line } from './support.ts'

function setUp() {
  const clock = virtualClock()
  const written: string[] = []
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return {
    clock,
    timer: clock,
    health: createHealth(),
    log: createLogRecorder(),
    random: () => 0,
    stdout,
    written,
  }
}

test('openSinks opens each configured sink, in order', async () => {
  const parts = setUp()
  const path = join(await folder(), 'audit.jsonl')
  const sinks = await openSinks(
    [{ type: 'stdout' }, { type: 'file', path }, { type: 'dynamodb', table: 'jeton-audit' }],
    parts,
  )
  expect(sinks.map(({ name }) => name)).toEqual(['stdout', `file ${path}`, 'dynamodb jeton-audit'])
  await Promise.all(sinks.slice(0, 2).map(sink => sink.append([line('a')])))
  expect(parts.written).toEqual([`${line('a')}\n`])
  expect(JSON.parse(await readFile(path, 'utf8')).id).toBe('a')
  await Promise.all(sinks.map(sink => sink.close()))
})

test('openSinks closes those already open when a later one cannot be opened', async () => {
  const place = await folder()
  const [path, nowhere] = [join(place, 'audit.jsonl'), join(place, 'none', 'audit.jsonl')]
  const open = (...paths: string[]) =>
    openSinks(
      paths.map(each => ({ type: 'file' as const, path: each })),
      setUp(),
    )
  await expect(open(path, nowhere)).rejects.toThrow('none')
  // the lock is free again
  const [sink] = await open(path)
  await sink?.close()
})
