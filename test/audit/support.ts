import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { renderRecord } from '../../src/audit/record.ts'

/** A folder that is gone when the test is over. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'jeton-audit-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

export function record(fields: Partial<AuditRecord> = {}): AuditRecord {
  return { id: 'r1', time: '2026-11-23T10:00:00.000Z', decision: 'vended', ...fields }
}

export const line = (id: string): string => renderRecord(record({ id }))

/** The lines of a file, without the end that is no line. */
export async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').slice(0, -1)
}

export async function idsOf(path: string): Promise<string[]> {
  return (await linesOf(path)).map(text => JSON.parse(text).id)
}
