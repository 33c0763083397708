import { describe, expect, test } from 'vitest'
import { createTextTable, type TableLayout } from '../../src/lib/text-table.ts'

const HEADER = ['A', 'NAME', 'DETAIL']

async function table(rows: readonly string[][], layout: Partial<TableLayout> = {}): Promise<string[]> {
  return createTextTable({ header: HEADER, flexible: [1], ...layout }).linesOf(rows)
}

describe('createTextTable', () => {
  test('makes columns as wide as their widest cell, and no header without a row', async () => {
    expect(await table([])).toEqual([])
    expect(
      await table([
        ['1', 'long name', 'x'],
        ['22', 'b', 'yy zz'],
      ]),
    ).toEqual(['A   NAME       DETAIL', '1   long name  x', '22  b          yy zz'])
  })

  test('takes characters for as wide as a terminal shows them', async () => {
    expect(
      await table([
        ['1', '東京', 'x'],
        ['1', 'e\u0301', 'x'],
        ['1', '🙂', 'x'],
      ]),
    ).toEqual(['A  NAME  DETAIL', '1  東京  x', '1  e\u0301     x', '1  🙂    x'])
  })

  test('cuts flexible cells, and gives the last cell a line, only where they do not fit', async () => {
    const rows = [
      ['1', 'a name that is too long for it', 'short'],
      ['2', 'b', 'a detail that is too long'],
    ]
    expect(await table(rows, { width: 26 })).toEqual([
      'A  NAME',
      '    DETAIL',
      '1  a name that is too lon…',
      '    short',
      '2  b',
      '    a detail that is too long',
    ])
    expect((await table(rows)).at(1)).toBe('1  a name that is too long for it  short')
    expect(await table([['1', '東京東京東京東京', 'x']], { width: 15 })).toEqual([
      'A  NAME',
      '    DETAIL',
      '1  東京東京東…',
      '    x',
    ])
  })

  test('goes on in indented lines on a terminal that is narrower still, the header too', async () => {
    const header = ['TIME', 'DECISION', 'NAME', 'DETAIL']
    const rows = [
      ['2026-11-23', 'vended', 'somebody with a long name', 'x'],
      ['2026-11-24', 'refused', 'somebody', 'why it was'],
    ]
    expect(await table(rows, { header, flexible: [2], width: 24 })).toEqual([
      'TIME        DECISION',
      '    NAME',
      '    DETAIL',
      '2026-11-23  vended',
      '    somebody with a lon…',
      '    x',
      '2026-11-24  refused',
      '    somebody',
      '    why it was',
    ])
  })

  test('widens columns for later rows, and has its header once', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => [String(i), i === 1100 ? 'the widest' : 'b', 'x'])
    const { linesOf } = createTextTable({ header: HEADER, flexible: [1] })
    const lines = [rows.slice(0, 500), rows.slice(500)].flatMap(linesOf)
    expect(lines).toHaveLength(1201)
    expect(lines.filter(line => line.startsWith('A'))).toHaveLength(1)
    expect(lines[1]).toBe('0    b     x')
    expect(lines.at(-1)).toBe('1199  b           x')
  })
})
