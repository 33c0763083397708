import { execFile } from 'node:child_process'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBlocks } from '../../../src/audit/file/read-blocks.ts'
import { readChunks } from '../../../src/audit/file/read-chunks.ts'
import { readLines } from '../../../src/audit/file/read-lines.ts'
import { folder } from '../support.ts'

async function collect(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(Buffer.from(chunk))
  return Buffer.concat(all).toString()
}

async function fileOf(bytes: Uint8Array | string, name = 'audit.jsonl'): Promise<string> {
  const path = join(await folder(), name)
  await writeFile(path, bytes)
  return path
}

/** More than a chunk, and not the same everywhere. */
const TEXT = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 40)}\n`).join('')

describe('readChunks', () => {
  test.each(['audit.jsonl', 'audit.jsonl.gz'])(
    'decompresses gzip by what it is, not by its name %s',
    async name => {
      expect(await collect(readChunks({ path: await fileOf(gzipSync(TEXT), name) }))).toBe(TEXT)
      expect(await collect(readChunks({ path: await fileOf(TEXT, name) }))).toBe(TEXT)
    },
  )

  test('reads several compressed files in one, and none at all', async () => {
    const path = await fileOf(gzipSync('a\n'))
    await appendFile(path, gzipSync('b\n'))
    expect(await collect(readChunks({ path }))).toBe('a\nb\n')
    for (const text of ['', '\u001f', 'a'])
      expect(await collect(readChunks({ path: await fileOf(text) }))).toBe(text)
  })

  test('reads a pipe, plain or compressed', async () => {
    const path = await fileOf(TEXT)
    for (const command of ['cat', 'gzip -c']) {
      const pipe = join(await folder(), 'pipe')
      await promisify(execFile)('mkfifo', [pipe])
      const [text] = await Promise.all([
        collect(readChunks({ path: pipe })),
        promisify(execFile)('sh', ['-c', `${command} "${path}" > "${pipe}"`]),
      ])
      expect(text === TEXT, command).toBe(true)
    }
  })

  test('has all that could be decompressed of a file that ends too early, and says so', async () => {
    const whole = gzipSync(TEXT)
    for (const length of [12, 5000, whole.length - 1]) {
      const path = await fileOf(whole.subarray(0, length))
      let isTruncated = false
      const text = await collect(readChunks({ path }, { onTruncated: () => (isTruncated = true) }))
      expect(isTruncated).toBe(true)
      expect(TEXT.startsWith(text)).toBe(true)
      expect(text.length).toBeGreaterThan((TEXT.length * (length - 4000)) / whole.length)
      await expect(collect(readChunks({ path }))).rejects.toThrow('unexpected end of file')
    }
  })

  test('fails if compressed data is damaged', async () => {
    const damaged = gzipSync(TEXT)
    damaged.fill(0xff, 1000, 1100)
    const path = await fileOf(damaged)
    await expect(collect(readChunks({ path }, { onTruncated: () => {} }))).rejects.toThrow()
  })

  test('stops where it is told to', async () => {
    const path = await fileOf('abc\ndef\n')
    expect(await collect(readChunks({ path, end: 5 }))).toBe('abc\nd')
    expect(await collect(readChunks({ path, end: 0 }))).toBe('')
  })
})

test('readBlocks yields whole lines, however the chunks are cut', async () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é'), maxLength: 30 }))
  await fc.assert(
    fc.asyncProperty(lines, async pieces => {
      async function* chunks() {
        for (const piece of pieces) yield Buffer.from(piece)
      }
      const blocks: string[] = []
      for await (const block of readBlocks(chunks())) blocks.push(block.toString())
      expect(blocks.join('')).toBe(pieces.join(''))
      for (const block of blocks.slice(0, -1)) expect(block.endsWith('\n')).toBe(true)
    }),
  )
})

test('readLines reads compressed lines as it reads others', async () => {
  const lines: string[] = []
  for await (const some of readLines(await fileOf(gzipSync('a\n\nb'))))
    lines.push(...some.map(({ bytes }) => `${bytes}`))
  expect(lines).toEqual(['a', '', 'b'])
})
