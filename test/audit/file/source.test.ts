import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { append, MAX_LINE_BYTES, renderRecovered } from '../../../src/audit/file/hash-chain.ts'
import { createFileSource } from '../../../src/audit/file/source.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { describeAuditSource } from '../../contracts/audit-sources.ts'
import { collectIds, folder, NOON, record, recordAt } from '../support.ts'

function openSource(...paths: string[]) {
  const unreadable: { where: string; lines: number }[] = []
  return {
    source: createFileSource({ paths, onUnreadable: each => void unreadable.push(each) }),
    unreadable,
  }
}

async function fileOf(text: string): Promise<string> {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, text)
  return path
}

describeAuditSource('file', async lines => {
  const parts = [0, 1].map(part => lines.filter((_, index) => index % 2 === part))
  const paths = parts.map(part => fileOf(part.map(each => `${each}\n`).join('')))
  return openSource(...(await Promise.all(paths))).source
})

describe('createFileSource', () => {
  test('finds records of every age if the query has no beginning', async () => {
    const path = await fileOf(`${renderRecord(recordAt(0, { id: 'old' }))}\n`)
    expect(await collectIds(openSource(path).source.all({}))).toEqual(['old'])
  })

  test('counts torn lines, but not the records that acknowledge them', async () => {
    const torn = renderRecord(recordAt(NOON)).slice(0, 40)
    const recovered = append(renderRecovered({ bytes: 40, sha256: 'x' }, record().time), 'f'.repeat(64)).line
    const [a, b] = ['a', 'b'].map(id => renderRecord(recordAt(NOON, { id })))
    const path = await fileOf([a, torn, recovered, b, '{'].join('\n'))
    const { source, unreadable } = openSource(path)
    expect(await collectIds(source.newest({}, 10))).toEqual(['b', 'a'])
    expect(unreadable).toEqual([{ where: path, lines: 2 }])
  })

  test('merges files in whatever order they are named', async () => {
    const [first, second] = [
      await fileOf([recordAt(NOON), recordAt(NOON + 1)].map(renderRecord).join('\n')),
      await fileOf([recordAt(NOON + 2), recordAt(NOON + 3)].map(renderRecord).join('\n')),
    ]
    for (const paths of [
      [first, second],
      [second, first],
    ])
      expect(await collectIds(openSource(...paths).source.all({}))).toEqual(['r0', 'r1', 'r2', 'r3'])
  })

  test('finds the newest although a refusal follows later vends', async () => {
    const records = [recordAt(NOON + 5), recordAt(NOON + 9), recordAt(NOON + 2)]
    const { source } = openSource(await fileOf(records.map(renderRecord).join('\n')))
    expect(await collectIds(source.newest({}, 2))).toEqual(['r9', 'r5'])
    expect(await collectIds(source.all({ to: NOON + 5 }))).toEqual(['r2'])
  })

  test('names a file that cannot be read', async () => {
    const place = await folder()
    const missing = join(place, 'none')
    const read = (path: string) => collectIds(openSource(path).source.all({}))
    await expect(read(missing)).rejects.toThrow(`${missing}: cannot be read: ENOENT`)
    await expect(read(place)).rejects.toThrow(`${place}: cannot be read: EISDIR`)
  })

  test('returns the records before a line that is too long, then says after which line it stopped', async () => {
    const path = await fileOf(
      [recordAt(NOON), recordAt(NOON + 1)].map(each => `${renderRecord(each)}\n`).join(''),
    )
    await appendFile(path, Buffer.alloc(MAX_LINE_BYTES + 1, 'x'))
    const ids: string[] = []
    const reading = (async () => {
      for await (const { record } of openSource(path).source.all({})) ids.push(record.id)
    })()
    await expect(reading).rejects.toThrow(`${path}, after line 2: cannot be read`)
    expect(ids).toEqual(['r0', 'r1'])
  })
})
