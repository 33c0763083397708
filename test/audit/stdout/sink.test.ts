import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createStdoutSink } from '../../../src/audit/stdout/sink.ts'
import { describeSink } from '../../contracts/sinks.ts'
import { settle } from '../../support/clock/virtual-clock.ts'
import { line } from '../support.ts'

describeSink('stdout', async () => {
  let text = ''
  let isBroken = false
  const stream = new Writable({
    write(chunk, _encoding, done) {
      if (isBroken) return done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
      text += chunk
      done()
    },
    // as process.stdout does: a write that failed does not end it
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
    repair() {
      isBroken = false
    },
  }
})

test('createStdoutSink waits for a reader that does not read', async () => {
  let finishWrite = () => {}
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      finishWrite = done
    },
  })
  let isWritten = false
  const append = createStdoutSink(stream)
    .append([line('a')])
    .then(() => {
      isWritten = true
    })
  await settle()
  expect(isWritten).toBe(false)
  finishWrite()
  await append
  expect(isWritten).toBe(true)
})

test('createStdoutSink rejects once the stream is gone', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() })
  const sink = createStdoutSink(stream)
  stream.destroy()
  await expect(sink.append([line('a')])).rejects.toThrow()
})

test('createStdoutSink takes its listener off the stream when it is closed, and does not end it', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() })
  const sink = createStdoutSink(stream)
  expect(stream.listenerCount('error')).toBe(1)
  await sink.close()
  expect(stream.listenerCount('error')).toBe(0)
  expect(stream.writable).toBe(true)
})
