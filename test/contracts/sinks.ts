import { describe, expect, test } from 'vitest'
import type { Sink } from '../../src/audit/sink.ts'
import { line } from '../audit/support.ts'

/** A new sink, how to see what it holds, and how to break it. */
export interface SinkUnderTest {
  readonly sink: Sink
  /** The ids of the records that it holds by now, in order. */
  ids(): Promise<string[]>
  /** Makes `append` fail until `repair`. */
  breakDown(): void
  repair(): void
}

/** What every sink must do, wherever it writes. */
export function describeSink(name: string, open: () => Promise<SinkUnderTest>): void {
  describe(`the sink ${name}`, () => {
    test('holds the records, in order, when append returns', async () => {
      const { sink, ids } = await open()
      await sink.append([line('a'), line('b')])
      expect(await ids()).toEqual(['a', 'b'])
      await sink.append([line('c')])
      expect(await ids()).toEqual(['a', 'b', 'c'])
      await sink.close()
    })

    test('rejects what it could not write, and continues once it can again', async () => {
      const { sink, ids, breakDown, repair } = await open()
      await sink.append([line('a')])
      breakDown()
      await expect(sink.append([line('b')])).rejects.toThrow()
      repair()
      await sink.append([line('c')])
      const written = await ids()
      expect(written[0]).toBe('a')
      expect(written.at(-1)).toBe('c')
      await sink.close()
    })

    test('keeps lines apart whatever text they carry', async () => {
      const { sink, ids } = await open()
      await sink.append([line('one\ntwo\r\n\u2028"}'), line('ünïcode 🪙')])
      expect(await ids()).toEqual(['one\ntwo\r\n\u2028"}', 'ünïcode 🪙'])
      await sink.close()
    })

    test('has a name, and a head hash that moves only if it has a chain', async () => {
      const { sink } = await open()
      expect(sink.name).not.toBe('')
      expect(sink.headHash()).toBeUndefined()
      await sink.append([line('a')])
      const head = sink.headHash()
      await sink.append([line('b')])
      expect(head === undefined || sink.headHash() !== head).toBe(true)
      await sink.close()
    })
  })
}
