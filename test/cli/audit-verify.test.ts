import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderRecovered } from '../../src/audit/file/hash-chain.ts'
import { auditVerifyCommand } from '../../src/cli/audit-verify.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { chained } from '../audit/file/chained.ts'
import { folder, line } from '../audit/support.ts'
import { recordStreams } from './record-streams.ts'

async function verify(lines: readonly string[], expectLast?: string) {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, `${lines.join('\n')}\n`)
  const { streams, written } = recordStreams()
  const exitCode = await auditVerifyCommand({ files: [path], expectLast }, streams)
  return { exitCode, path, ...written }
}

describe('jeton audit verify', () => {
  const [first = '', second = '', third = ''] = chained(['a', 'b', 'c'].map(line))
  const { hash } = JSON.parse(third)

  test('prints the number of records and the last hash of an intact log', async () => {
    expect(await verify([first, second, third], hash.toUpperCase())).toMatchObject({
      exitCode: 0,
      stdout: `ok: 3 records, last ${hash}\n`,
      stderr: '',
    })
  })

  test('notes on stderr what a crash tore', async () => {
    const torn = '{"id":"torn'
    const piece = { bytes: torn.length, sha256: sha256Hex(torn) }
    const recovered = renderRecovered(piece, '2026-11-23T10:00:00.000Z')
    const [before = '', after = ''] = chained([line('a'), recovered])
    expect(await verify([before, torn, after])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^ok: 2 records, /),
      stderr: expect.stringMatching(/^note: .*: 1; /),
    })
  })

  test('prints the first bad record, and exits with 1', async () => {
    const { exitCode, path, stdout, stderr } = await verify([first, third])
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(stdout).toMatch(`${path}:2: does not continue`)
  })
})
