import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { append, GENESIS, renderRecovered } from '../../../src/audit/file/hash-chain.ts'
import { type VerifyOptions, verifyFiles } from '../../../src/audit/file/verify.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { GOLDEN } from '../golden.ts'
import { folder, line } from '../support.ts'
import { chained } from './chained.ts'

const hashOf = (text: string | undefined): string => JSON.parse(text ?? '').hash

/** Five records in one chain. */
const FIVE = chained(Array.from({ length: 5 }, (_, i) => line(`r${i}`)))
const [R0 = '', R1 = '', R2 = '', R3 = '', R4 = ''] = FIVE

async function verify(content: Uint8Array | readonly string[], options?: VerifyOptions) {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, content instanceof Uint8Array ? content : `${content.join('\n')}\n`)
  return verifyFiles([path], options)
}

test('verifyFiles verifies a chain that an older jeton wrote', async () => {
  const { vendedChained, refusedChained, tornText, recoveredChained } = GOLDEN
  expect(await verify([vendedChained, refusedChained, tornText, recoveredChained])).toEqual({
    ok: true,
    records: 3,
    last: GOLDEN.recoveredHash,
    recovered: 1,
  })
})

test('verifyFiles verifies a whole chain, over many files and with an empty one among them', async () => {
  const dir = await folder()
  const paths = ['a', 'b', 'c'].map(name => join(dir, name))
  await writeFile(paths[0]!, `${FIVE.slice(0, 2).join('\n')}\n`)
  await writeFile(paths[1]!, '')
  await writeFile(paths[2]!, FIVE.slice(2).join('\n'))
  const last = hashOf(R4)
  expect(await verifyFiles(paths, { expectLast: last })).toEqual({ ok: true, records: 5, last, recovered: 0 })
  expect(await verifyFiles(paths.toReversed())).toMatchObject({ ok: false, file: paths[2], line: 1 })
  expect(await verifyFiles([])).toEqual({ ok: true, records: 0, last: GENESIS, recovered: 0 })
})

test('verifyFiles reads gzip as it reads the file that it was made of', async () => {
  const text = `${FIVE.join('\n')}\n`
  expect(await verify(gzipSync(text))).toEqual({ ok: true, records: 5, last: hashOf(R4), recovered: 0 })
  expect(await verify(gzipSync(text.replace('r3', 'rX')))).toMatchObject({ ok: false, line: 4 })
  expect(await verify(gzipSync(text).subarray(0, -1))).toMatchObject({
    ok: false,
    problem: 'cannot be read: unexpected end of file',
  })
})

const tampered: [string, string[], number][] = [
  ['changed', [R0, R1.replace('r1', 'rX'), R2, R3, R4], 2],
  ['changed and hashed again', [R0, append(line('rX'), hashOf(R0)).line, R2, R3, R4], 3],
  ['dropped', [R0, R2, R3, R4], 2],
  ['swapped', [R0, R2, R1, R3, R4], 2],
  ['written twice', [R0, R1, R1, R2, R3, R4], 3],
  ['inserted with a link', [R0, append(line('new'), hashOf(R0)).line, R1, R2, R3, R4], 3],
  ['inserted without a link', [R0, line('new'), R1, R2, R3, R4], 2],
  ['the head cut off', [R1, R2, R3, R4], 1],
  ['an empty line', [R0, '', R1, R2, R3, R4], 2],
  ['something at the end', [...FIVE, 'stray'], 6],
]
test.each(tampered)('verifyFiles finds at which line: %s', async (_what, lines, at) => {
  expect(await verify(FIVE)).toMatchObject({ ok: true })
  expect(await verify(lines)).toMatchObject({ ok: false, line: at })
})

test('verifyFiles finds any single byte that was changed', async () => {
  const bytes = Buffer.from(`${chained([line('a'), line('ü�'), line('c')]).join('\n')}\n`)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ by
      expect(await verify(changed)).toMatchObject({ ok: false })
    }),
    { numRuns: 150 },
  )
})

test('verifyFiles finds a missing tail only by the expected hash, and accepts a log that has grown since', async () => {
  const expectLast = hashOf(R3)
  expect(await verify(FIVE.slice(0, 3))).toMatchObject({ ok: true })
  expect(await verify(FIVE.slice(0, 3), { expectLast })).toMatchObject({ ok: false, line: 3 })
  expect(await verify(FIVE.slice(0, 4), { expectLast })).toMatchObject({ ok: true })
  expect(await verify(FIVE, { expectLast })).toMatchObject({ ok: true })
  expect(await verify(Buffer.alloc(0), { expectLast })).toMatchObject({ ok: false, line: 0 })
})

test('verifyFiles accepts that the oldest files are gone if the hash before is given', async () => {
  expect(await verify(FIVE.slice(2), { after: hashOf(R1) })).toMatchObject({ ok: true, records: 3 })
  expect(await verify(FIVE.slice(3), { after: hashOf(R1) })).toMatchObject({ ok: false, line: 1 })
})

test('verifyFiles accepts a torn piece only if the very next record acknowledges it', async () => {
  const torn = `${line('lost').slice(0, 30)}\n{"ha`
  const acknowledging = (piece: string) =>
    renderRecovered({ bytes: Buffer.byteLength(piece), sha256: sha256Hex(piece) }, 't')
  const [a, recovered, b] = chained([line('a'), acknowledging(torn), line('b')])
  expect(await verify([a!, torn, recovered!, b!])).toMatchObject({ ok: true, records: 3, recovered: 1 })
  expect(await verify([a!, `${torn}x`, recovered!, b!])).toMatchObject({ ok: false, line: 2 })
  expect(await verify([a!, torn, recovered!, torn, b!])).toMatchObject({ ok: false, line: 5 })
  expect(await verify([a!, torn])).toMatchObject({ ok: false, line: 2 })
  const [, plain] = chained([line('a'), line('b')])
  expect(await verify([a!, torn, plain!])).toMatchObject({ ok: false, line: 2 })
})

test('verifyFiles refuses a line too long to hold, and a file that is not there', async () => {
  expect(await verify([R0, 'x'.repeat(3 * 1024 * 1024)])).toMatchObject({ ok: false, line: 2 })
  expect(await verifyFiles(['/nowhere/audit.jsonl'])).toMatchObject({ ok: false, line: 0 })
})

test('verifyFiles puts lines together that are longer than what is read at once', async () => {
  const lines = chained([line('a'), JSON.stringify({ id: 'x'.repeat(700_000) }), line('c')])
  expect(await verify(lines)).toMatchObject({ ok: true, records: 3 })
})
