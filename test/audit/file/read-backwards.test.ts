import { appendFile, open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MAX_LINE_BYTES } from '../../../src/audit/file/hash-chain.ts'
import {
  type LineAt,
  type LineBlock,
  linesOf,
  linesWith,
  readBackwards,
} from '../../../src/audit/file/read-backwards.ts'
import { folder } from '../support.ts'

async function fileOf(text: string | Buffer) {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, text)
  const handle = await open(path)
  onTestFinished(() => handle.close())
  return { path, handle, size: Buffer.byteLength(text) }
}

async function blocksOf(text: string | Buffer, chunkBytes?: number): Promise<LineBlock[]> {
  const { handle, size } = await fileOf(text)
  const blocks: LineBlock[] = []
  for await (const block of readBackwards(handle, { end: size, ...(chunkBytes && { chunkBytes }) }))
    blocks.push(block)
  return blocks
}

const textsOf = (lines: Iterable<LineAt>) => [...lines].map(({ bytes }) => bytes.toString())

describe('readBackwards', () => {
  const text = 'first\n\nthe third line\nfourth\n5\n'

  test.each([1, 2, 3, 5, 7, 1000])(
    'finds every line once and where it begins, by chunks of %i',
    async size => {
      const lines = (await blocksOf(text, size)).flatMap(block => [...linesOf(block)])
      expect(textsOf(lines)).toEqual(['5', 'fourth', 'the third line', '', 'first'])
      for (const { position, bytes } of lines)
        expect(text.slice(position, position + bytes.length)).toBe(bytes.toString())
    },
  )

  test.each([1, 4, 1000])('counts a last line without a newline, by chunks of %i', async size => {
    const lines = (await blocksOf('one\ntwo', size)).flatMap(block => [...linesOf(block)])
    expect(textsOf(lines)).toEqual(['two', 'one'])
  })

  test('finds nothing in an empty file', async () => {
    expect(await blocksOf('')).toEqual([])
  })

  test('reads on from where a line begins', async () => {
    const { handle } = await fileOf(text)
    const lines: LineAt[] = []
    for await (const block of readBackwards(handle, { end: text.indexOf('fourth') }))
      lines.push(...linesOf(block))
    expect(textsOf(lines)).toEqual(['the third line', '', 'first'])
  })

  test('leaves lines out that are too long, with what is before and behind them', async () => {
    const huge = 'x'.repeat(3 * MAX_LINE_BYTES)
    for (const [content, found] of [
      [`a\n${huge}\nb\n`, ['b', 'a']],
      [`${huge}\nb\n`, ['b']],
      [`a\n${huge}`, ['a']],
    ] as const) {
      const blocks = await blocksOf(content)
      expect(blocks.flatMap(block => textsOf(linesOf(block)))).toEqual(found)
      expect(blocks.reduce((sum, { tooLong }) => sum + tooLong, 0)).toBe(1)
      expect(Math.max(...blocks.map(({ bytes }) => bytes.length))).toBeLessThan(MAX_LINE_BYTES)
    }
  })

  test('does not see what is appended meanwhile, and ends where the file was cut', async () => {
    const { path, handle, size } = await fileOf('one\ntwo\nthree\n')
    const blocks = readBackwards(handle, { end: size, chunkBytes: 6 })
    const { value } = await blocks.next()
    await appendFile(path, 'four\n')
    expect(value && textsOf(linesOf(value))).toEqual([])
    const second = await blocks.next()
    expect(second.value && textsOf(linesOf(second.value))).toEqual(['three', 'two'])
    await truncate(path, 0)
    expect(await blocks.next()).toEqual({ done: true, value: undefined })
  })
})

describe('linesWith', () => {
  const block = (text: string): LineBlock => ({ position: 100, bytes: Buffer.from(text), tooLong: 0 })
  const find = (text: string, ...texts: string[]) =>
    textsOf(
      linesWith(
        block(text),
        texts.map(each => Buffer.from(each)),
      ),
    )

  test('finds each line once in which one of the texts stands, however often', () => {
    const text = '"a","a"\n"b"\n"c"\n"a","b"\n'
    expect(find(text, '"a"')).toEqual(['"a","b"', '"a","a"'])
    expect(find(text, '"a"', '"b"')).toEqual(['"a","b"', '"b"', '"a","a"'])
    expect(find(text, '"d"')).toEqual([])
    expect(find('', '"d"')).toEqual([])
    expect(find('"a"', '"a"')).toEqual(['"a"'])
  })

  test('says where a line begins', () => {
    expect([...linesWith(block('x\ny\nz\n'), [Buffer.from('y')])].map(({ position }) => position)).toEqual([
      102,
    ])
  })

  test('finds no text that begins in one line and ends in the next', () => {
    expect(find('ab\ncd\n', 'abcd')).toEqual([])
  })
})
