import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { openFileSink } from '../../src/audit/file/sink.ts'
import { createStdoutSink } from '../../src/audit/stdout/sink.ts'
import { describeSink } from '../contracts/sinks.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { rememberingLog } from '../support/service/log.ts'
import { failingOpen } from './file/failing-open.ts'
import { folder, line } from './support.ts'

describeSink('file', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const { disk, open } = failingOpen()
  const sink = await openFileSink({ path, clock: virtualClock(), log: rememberingLog(), open })
  return {
    sink,
    async ids() {
      const text = await readFile(path, 'utf8')
      return text
        .trimEnd()
        .split('\n')
        .map(each => JSON.parse(each).id)
    },
    breakDown() {
      disk.fault = 'write'
    },
    mend() {
      disk.fault = 'none'
    },
  }
})

describeSink('stdout', async () => {
  let text = ''
  let isBroken = false
  const stream = new Writable({
    write(chunk, _encoding, done) {
      if (isBroken) return done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
      text += chunk
      done()
    },
    // As process.stdout does it: a write that failed does not end it.
    destroy(error, done) {
      done(error)
      Reflect.get(this, '_undestroy').call(this)
    },
  })
  return {
    sink: createStdoutSink(stream),
    ids: async () =>
      text
        .trimEnd()
        .split('\n')
        .map(each => JSON.parse(each).id),
    breakDown() {
      isBroken = true
    },
    mend() {
      isBroken = false
    },
  }
})

test('stdout: waits for a reader that does not read, and rejects when the stream is gone', async () => {
  let taken = () => {}
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      taken = done
    },
  })
  const sink = createStdoutSink(stream)
  let isWritten = false
  const append = sink.append([line('a')]).then(() => {
    isWritten = true
  })
  await settle()
  expect(isWritten).toBe(false)
  taken()
  await append
  stream.destroy()
  await expect(sink.append([line('b')])).rejects.toThrow()
})
