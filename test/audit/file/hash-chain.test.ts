import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import {
  acknowledges,
  append,
  GENESIS,
  readLink,
  renderRecovered,
} from '../../../src/audit/file/hash-chain.ts'
import { lookForProgram } from '../../../src/dev/postgres/programs.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { GOLDEN } from '../golden.ts'
import { line } from '../support.ts'
import { chained } from './chained.ts'

test('append writes the bytes that it always did', () => {
  const first = append(GOLDEN.vendedLine, GENESIS)
  expect(first).toEqual({ line: GOLDEN.vendedChained, hash: GOLDEN.vendedHash })
  const second = append(GOLDEN.refusedLine, first.hash)
  expect(second).toEqual({ line: GOLDEN.refusedChained, hash: GOLDEN.refusedHash })
})

test('append adds the last two members, and anyone can recompute the hash', () => {
  const { line: text, hash } = append('{"a":1}', GENESIS)
  expect(text).toBe(`{"a":1,"prev":"${GENESIS}","hash":"${hash}"}`)
  expect(hash).toBe(sha256Hex(`{"a":1,"prev":"${GENESIS}"}`))
})

test('readLink reads the link of a line, and whether the line was changed', () => {
  const { vendedHash: prev, refusedHash: hash } = GOLDEN
  expect(readLink(Buffer.from(GOLDEN.refusedChained))).toEqual({ prev, hash, isIntact: true })
  const changed = GOLDEN.refusedChained.replace('access_denied', 'access_allowed')
  expect(readLink(Buffer.from(changed))).toEqual({ prev, hash, isIntact: false })
  expect(readLink(Buffer.from(GOLDEN.refusedLine))).toBeUndefined()
})

test('renderRecovered writes the bytes that it always did, which acknowledge that piece and no other', () => {
  expect(renderRecovered(GOLDEN.torn, GOLDEN.recoveredTime)).toBe(GOLDEN.recoveredLine)
  const recovered = Buffer.from(GOLDEN.recoveredChained)
  expect(acknowledges(recovered, GOLDEN.torn)).toBe(true)
  expect(acknowledges(recovered, { ...GOLDEN.torn, bytes: 41 })).toBe(false)
  expect(acknowledges(Buffer.from('no JSON'), GOLDEN.torn)).toBe(false)
})

test('the Python in the doc comment of append verifies a chain', async () => {
  const source = await readFile(new URL('../../../src/audit/file/hash-chain.ts', import.meta.url), 'utf8')
  const script = source
    .split("python3 -c '")[1]
    ?.split("' < audit.jsonl")[0]
    ?.replaceAll(/^ \* {5}/gm, '')
  expect(script).toContain('hashlib')
  const lines = chained([line('r0'), line('r1'), line('ü')])
  const python = await lookForProgram('python3')
  if (!python) return expect(process.env.CI, 'python3 is not here: this was not tested').not.toBe('true')
  const run = (input: string) => execFileSync(python, ['-c', script ?? ''], { input, encoding: 'utf8' })
  expect(run(`${lines.join('\n')}\n`)).toBe('True\nTrue\nTrue\n')
  expect(run(`${lines.join('\n').replace('r0', 'rX')}\n`)).toBe('False\nTrue\nTrue\n')
})
