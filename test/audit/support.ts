import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { type ParsedRecord, parseRecord } from '../../src/audit/parsed-record.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'

export const NOON = Date.parse('2026-11-23T12:00:00Z')

/** Creates a folder that is removed when the test is over. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'jeton-audit-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

export function record(fields: Partial<AuditRecord> = {}): AuditRecord {
  return { id: 'r1', time: '2026-11-23T10:00:00.000Z', decision: 'vended', ...fields }
}

/** A record of that time whose id says how far from noon it is: `r-5` is 5 ms before. */
export function recordAt(timeMs: number, fields: Partial<AuditRecord> = {}): AuditRecord {
  return record({ id: `r${timeMs - NOON}`, time: new Date(timeMs).toISOString(), ...fields })
}

export const line = (id: string): string => renderRecord(record({ id }))

export function parsed(fields: AuditRecord): ParsedRecord {
  return parseRecord(renderRecord(fields)) ?? expect.fail('it is not a record')
}

export async function collectIds(records: AsyncIterable<ParsedRecord>): Promise<string[]> {
  const ids: string[] = []
  for await (const { record } of records) ids.push(record.id)
  return ids
}

/** The lines of a file, without what follows the last newline. */
export async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').slice(0, -1)
}

export async function idsOf(path: string): Promise<string[]> {
  return (await linesOf(path)).map(text => JSON.parse(text).id)
}
