import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { auditVerify } from '../../src/cli/audit-verify.ts'
import { chained } from '../audit/file/chained.ts'
import { folder, line } from '../audit/support.ts'

test('auditVerify prints one line and returns 0 or 1', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const run = async (lines: readonly string[], expectLast?: string) => {
    await writeFile(path, `${lines.join('\n')}\n`)
    let text = ''
    const out = { write: (more: string) => (text += more) }
    return { code: await auditVerify({ files: [path], expectLast, out, err: out }), text }
  }
  const [first = '', second = '', third = ''] = chained(['a', 'b', 'c'].map(line))
  const { hash } = JSON.parse(third)
  const sound = await run([first, second, third], hash.toUpperCase())
  expect(sound).toEqual({ code: 0, text: `ok: 3 records, last ${hash}\n` })
  const { code, text } = await run([first, third])
  expect(code).toBe(1)
  expect(text).toMatch(`${path}:2: does not continue`)
})
