import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { append, GENESIS, readLink, renderRecovered } from '../../../src/audit/file/hash-chain.ts'
import { type VerifyOptions, verifyFiles } from '../../../src/audit/file/verify.ts'
import { auditVerify } from '../../../src/cli/audit-verify.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { lookForProgram } from '../../support/databases/programs.ts'
import { folder, line } from '../support.ts'

/** Seals what is given, one after the other. */
function chained(lines: readonly string[], from = GENESIS): string[] {
  let prev = from
  return lines.map(text => {
    const sealed = append(text, prev)
    prev = sealed.hash
    return sealed.line
  })
}

const hashOf = (text: string | undefined): string => JSON.parse(text ?? '').hash
const ids = (count: number) => Array.from({ length: count }, (_, i) => line(`r${i}`))

async function verdictOn(content: string | Uint8Array | readonly string[], options?: VerifyOptions) {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, Array.isArray(content) ? `${content.join('\n')}\n` : (content as string))
  return verifyFiles([path], options)
}

test('a seal is the last two members, and its hash anyone can recompute', () => {
  const sealed = append('{"a":1}', GENESIS)
  expect(sealed.line).toBe(`{"a":1,"prev":"${GENESIS}","hash":"${sealed.hash}"}`)
  expect(sealed.hash).toBe(sha256Hex(`{"a":1,"prev":"${GENESIS}"}`))
  expect(readLink(Buffer.from(sealed.line))).toEqual({ prev: GENESIS, hash: sealed.hash, intact: true })
})

test('the lines of Python that the documentation gives agree', async () => {
  const source = await readFile(new URL('../../../src/audit/file/hash-chain.ts', import.meta.url), 'utf8')
  const script = source
    .split("python3 -c '")[1]
    ?.split("' < audit.jsonl")[0]
    ?.replaceAll(/^ \* {5}/gm, '')
  expect(script).toContain('hashlib')
  const lines = chained([...ids(2), line('ü')])
  const python = await lookForProgram('python3')
  if (!python) return expect(process.env.CI, 'python3 is not here: this was not tested').not.toBe('true')
  const run = (input: string) => execFileSync(python, ['-c', script ?? ''], { input, encoding: 'utf8' })
  expect(run(`${lines.join('\n')}\n`)).toBe('True\nTrue\nTrue\n')
  expect(run(`${lines.join('\n').replace('r0', 'rX')}\n`)).toBe('False\nTrue\nTrue\n')
})

test('a whole chain verifies, over many files and with an empty one among them', async () => {
  const lines = chained(ids(5))
  const dir = await folder()
  const paths = ['a', 'b', 'c'].map(name => join(dir, name))
  await writeFile(paths[0]!, `${lines.slice(0, 2).join('\n')}\n`)
  await writeFile(paths[1]!, '')
  await writeFile(paths[2]!, lines.slice(2).join('\n'))
  const last = hashOf(lines[4])
  expect(await verifyFiles(paths, { expectLast: last })).toEqual({ ok: true, records: 5, last, recovered: 0 })
  expect(await verifyFiles(paths.toReversed())).toMatchObject({ ok: false, file: paths[2], line: 1 })
  expect(await verifyFiles([])).toEqual({ ok: true, records: 0, last: GENESIS, recovered: 0 })
})

const L = chained(ids(5))
const tampered: [string, string[], number][] = [
  ['changed', [L[0]!, L[1]!.replace('r1', 'rX'), ...L.slice(2)], 2],
  ['changed and hashed anew', [L[0]!, append(line('rX'), hashOf(L[0])).line, ...L.slice(2)], 3],
  ['dropped', [L[0]!, ...L.slice(2)], 2],
  ['swapped', [L[0]!, L[2]!, L[1]!, L[3]!, L[4]!], 2],
  ['written twice', [L[0]!, L[1]!, L[1]!, ...L.slice(2)], 3],
  ['inserted with a seal', [L[0]!, append(line('new'), hashOf(L[0])).line, ...L.slice(1)], 3],
  ['inserted without a seal', [L[0]!, line('new'), ...L.slice(1)], 2],
  ['the head cut off', L.slice(1), 1],
  ['an empty line', [L[0]!, '', ...L.slice(1)], 2],
  ['something at the end', [...L, 'stray'], 6],
]
test.each(tampered)('finds at which line: %s', async (_what, lines, at) => {
  expect(await verdictOn(L)).toMatchObject({ ok: true })
  expect(await verdictOn(lines)).toMatchObject({ ok: false, line: at })
})

test('finds any single byte that was changed', async () => {
  const bytes = Buffer.from(`${chained([line('a'), line('ü�'), line('c')]).join('\n')}\n`)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ by
      expect(await verdictOn(changed)).toMatchObject({ ok: false })
    }),
    { numRuns: 150 },
  )
})

test('a tail cut off shows against the expected hash alone; a log that has grown since is fine', async () => {
  const expectLast = hashOf(L[3])
  expect(await verdictOn(L.slice(0, 3))).toMatchObject({ ok: true })
  expect(await verdictOn(L.slice(0, 3), { expectLast })).toMatchObject({ ok: false, line: 3 })
  expect(await verdictOn(L.slice(0, 4), { expectLast })).toMatchObject({ ok: true })
  expect(await verdictOn(L, { expectLast })).toMatchObject({ ok: true })
  expect(await verdictOn('', { expectLast })).toMatchObject({ ok: false, line: 0 })
})

test('a head that is no longer kept is fine where its hash is given', async () => {
  expect(await verdictOn(L.slice(2), { after: hashOf(L[1]) })).toMatchObject({ ok: true, records: 3 })
  expect(await verdictOn(L.slice(3), { after: hashOf(L[1]) })).toMatchObject({ ok: false, line: 1 })
})

test('a torn piece passes only where the very next record names it', async () => {
  const torn = `${line('lost').slice(0, 30)}\n{"ha`
  const named = (piece: string) =>
    renderRecovered({ bytes: Buffer.byteLength(piece), sha256: sha256Hex(piece) }, 't')
  const [a, recovered, b] = chained([line('a'), named(torn), line('b')])
  expect(await verdictOn([a!, torn, recovered!, b!])).toMatchObject({ ok: true, records: 3, recovered: 1 })
  expect(await verdictOn([a!, `${torn}x`, recovered!, b!])).toMatchObject({ ok: false, line: 2 })
  expect(await verdictOn([a!, torn, recovered!, torn, b!])).toMatchObject({ ok: false, line: 5 })
  expect(await verdictOn([a!, torn])).toMatchObject({ ok: false, line: 2 })
  const [, plain] = chained([line('a'), line('b')])
  expect(await verdictOn([a!, torn, plain!])).toMatchObject({ ok: false, line: 2 })
})

test('refuses a line too long to hold, and a file that is not there', async () => {
  expect(await verdictOn([L[0]!, 'x'.repeat(3 * 1024 * 1024)])).toMatchObject({ ok: false, line: 2 })
  expect(await verifyFiles(['/nowhere/audit.jsonl'])).toMatchObject({ ok: false, line: 0 })
})

test('lines longer than what is read at once are put together', async () => {
  const lines = chained([line('a'), JSON.stringify({ id: 'x'.repeat(700_000) }), line('c')])
  expect(await verdictOn(lines)).toMatchObject({ ok: true, records: 3 })
})

test('the command prints one line and exits 0 or 1', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const run = async (lines: readonly string[], expectLast?: string) => {
    await writeFile(path, `${lines.join('\n')}\n`)
    let text = ''
    const out = { write: (more: string) => (text += more) }
    return { code: await auditVerify({ files: [path], expectLast, out, err: out }), text }
  }
  const last = hashOf(L[4])
  expect(await run(L, last.toUpperCase())).toEqual({ code: 0, text: `ok: 5 records, last ${last}\n` })
  const { code, text } = await run([L[0]!, L[2]!])
  expect(code).toBe(1)
  expect(text).toMatch(`${path}:2: does not continue`)
})
