import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COUNT_FIELDS } from '../../src/audit/count-records.ts'
import { ocsfEvent } from '../../src/audit/ocsf.ts'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { CSV_COLUMNS } from '../../src/cli/audit-csv.ts'
import { folder } from '../audit/support.ts'
import { exampleIn, quotedIn, readDocsPage, rowsOf, sectionOf } from '../support/markdown.ts'
import { runCli } from '../support/service/jeton.ts'
import { ago, logFile, type Options, query, RECORDS, rows } from './query-runner.ts'

const LIFECYCLE = {
  type: 'jeton.audit.reloaded',
  v: 1,
  id: 'l1',
  time: '2026-11-23T09:00:00.000Z',
  instance: 'host/1',
  jeton: '1.2.3',
  changes: { sections: [], grants: { added: ['new'] } },
}

describe('jeton audit query --count-by', () => {
  const counts = async (options: Options) => rows([await logFile()], options)

  test.each<[Options, string[][]]>([
    [
      { countBy: ['decision'] },
      [
        ['8', 'refused'],
        ['1', 'failed'],
        ['1', 'vended'],
      ],
    ],
    [
      { countBy: ['database,user'] },
      [
        ['8', '-', '-'],
        ['1', 'ledger', 'app'],
        ['1', 'orders', 'migrator'],
      ],
    ],
    [{ countBy: ['decision', 'code', 'decision'], limit: '1' }, [['7', 'refused', 'unauthenticated']]],
    [
      { countBy: ['hour'], from: '2h' },
      [
        ['8', '2026-11-23T09:00Z'],
        ['1', '2026-11-23T08:00Z'],
      ],
    ],
    [{ countBy: ['source'], decision: 'vended' }, [['1', '203.0.113.9']]],
  ])('counts by %j, the most first, floods by how many they stand for', async (options, expected) => {
    expect(await counts(options)).toEqual(expected)
  })

  test('says how many records of floods there were, and what it does not show', async () => {
    expect((await query([await logFile()], { countBy: ['code'], limit: '2' })).stderr).toBe(
      'note: 1 record of floods stands for 7 of these\nnote: 2 more rows, of 2: --limit 0 shows all\n',
    )
    const none = await query([await logFile()], { countBy: ['code'], user: 'nobody' })
    expect(none).toMatchObject({ stdout: '', stderr: expect.stringContaining('no record matches') })
  })

  test('prints JSON and CSV, too', async () => {
    const options = { countBy: ['database'], decision: 'vended' }
    expect((await query([await logFile()], options)).stdout).toBe('{"count":1,"database":"orders"}\n')
    expect((await query([await logFile()], { ...options, output: 'csv' })).stdout).toBe(
      'count,database\n1,orders\n',
    )
    expect((await query([await logFile()], { countBy: ['grant'], limit: '1' })).stdout).toBe(
      '{"count":9,"grant":null}\n',
    )
  })
})

test('docs/cli.md names the fields and columns, and its example runs', async () => {
  const page = await readDocsPage('cli')
  const [, fieldCell = ''] =
    rowsOf(sectionOf(page, 'jeton audit query')).find(([cell]) => cell?.includes('--count-by')) ?? []
  expect(quotedIn(fieldCell).slice(0, COUNT_FIELDS.length)).toEqual(COUNT_FIELDS)
  expect(quotedIn(sectionOf(page, 'CSV of records')).slice(0, CSV_COLUMNS.length)).toEqual(CSV_COLUMNS)
  const example = exampleIn(page, 'count-by')
    .trim()
    .replace('$LOG', await logFile())
  const { code, stdout, stderr } = await runCli(example.split(' ').slice(1))
  expect({ code, rows: stdout.split('\n').map(row => row.split(/ {2,}/)), stderr }).toEqual({
    code: 0,
    rows: [['COUNT', 'PRINCIPAL', 'CODE'], ['7', '-', 'unauthenticated'], ['1', '-', 'access_denied'], ['']],
    stderr: 'note: 1 record of floods stands for 7 of these\n',
  })
})

test('docs/operations.md says what becomes of each kind of record as an OCSF event', async () => {
  const [kinds] = [rowsOf(sectionOf(await readDocsPage('operations'), 'Records as OCSF events'))]
  for (const [kind = '', ...cells] of kinds.slice(0, 8)) {
    const [name = ''] = quotedIn(kind)
    const isLifecycle = name.startsWith('jeton.')
    const members = isLifecycle ? { type: name } : { type: 'jeton.audit', decision: name, database: 'orders' }
    const parsed = parseRecord(JSON.stringify({ ...LIFECYCLE, ...members })) ?? expect.fail(kind)
    const event = ocsfEvent(parsed)
    const numbers = cells.map(cell => Number(/^\d+/.exec(cell)?.[0]))
    const { class_uid, activity_id, severity_id, status_id } = event
    const expected = [class_uid, activity_id, severity_id, status_id]
    // "as refused"
    expect(
      numbers.map((number, i) => (Number.isNaN(number) ? expected[i] : number)),
      name,
    ).toEqual(expected)
  }
})

describe('jeton audit query -o csv', () => {
  const csv = async (records: readonly AuditRecord[]) => {
    const { stdout } = await query([await logFile(records)], { output: 'csv' })
    return stdout.split('\n').slice(0, -1)
  }

  test('has a header, the same columns for every record, and a line for each', async () => {
    const path = join(await folder(), 'audit.jsonl')
    await writeFile(path, `${JSON.stringify(LIFECYCLE)}\n`)
    const [header, ...lines] = (await query([path], { output: 'csv' })).stdout.split('\n').slice(0, -1)
    expect(header).toBe(CSV_COLUMNS.join())
    expect(lines).toEqual([
      '2026-11-23T09:00:00.000Z,jeton.audit.reloaded,,,,,,,,,,,,,,,,,,,,,host/1,,l1,,,"{""sections"":[],""grants"":{""added"":[""new""]}}",,,',
    ])
    expect(await csv(RECORDS)).toHaveLength(1 + RECORDS.length)
    expect(await csv([])).toEqual([])
  })

  test('lets no caller run a formula in a spreadsheet, nor begin a line', async () => {
    const attacks = ['=cmd|"/C calc"!A0', '+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1', 'a\n=1']
    for (const attack of attacks) {
      const principal = { issuer: 'ci', subject: attack, claims: { ref: attack } }
      const [, line = '', ...more] = await csv([ago(1, { principal, userAgent: attack, reason: attack })])
      expect(more).toEqual([])
      expect(line, attack).not.toMatch(/(^|,)"?[=+\-@\t\r\uff1d]/)
    }
    const [, line] = await csv([ago(1, { userAgent: '=cmd|"/C calc"!A0' })])
    expect(line).toContain(`,"'=cmd|""/C calc""!A0",`)
  })
})

test('jeton audit query -o ocsf prints an event for each record', async () => {
  const { stdout } = await query([await logFile()], { output: 'ocsf', limit: '2' })
  const events = stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
  expect(
    events.map(({ class_uid, status_code, metadata }) => [class_uid, status_code, metadata.uid]),
  ).toEqual([
    [6003, 'role_refused', 'r10'],
    [6003, 'unauthenticated', 'r1'],
  ])
})
