import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { type AuditQueryArguments, auditQueryCommand } from '../../src/cli/audit-query.ts'
import { folder, record } from '../audit/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { recordStreams } from './record-streams.ts'

export const NOW = Date.parse('2026-11-23T10:00:00Z')
export const MINUTE_MS = 60_000

export const ago = (minutes: number, fields: Partial<AuditRecord> = {}) =>
  record({ id: `r${minutes}`, time: new Date(NOW - minutes * MINUTE_MS).toISOString(), ...fields })

export const RECORDS = [
  ago(200, {
    requestId: 'q200',
    principal: { issuer: 'ci', subject: 'repo:a/b' },
    grant: 'deploy',
    database: 'orders',
    user: 'migrator',
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
    fingerprint: '9f86d081'.repeat(8),
    cached: true,
    sourceIp: '203.0.113.9',
  }),
  ago(90, {
    decision: 'refused',
    code: 'access_denied',
    reason: 'deploy: claim ref',
    sourceIp: '203.0.113.9',
  }),
  ago(10, { decision: 'failed', code: 'role_refused', database: 'ledger', user: 'app' }),
  ago(1, { decision: 'refused', code: 'unauthenticated', count: 7, since: '2026-11-23T09:00:00.000Z' }),
]

export async function logFile(records: readonly AuditRecord[] = RECORDS): Promise<string> {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, records.map(each => `${renderRecord(each)}\n`).join(''))
  return path
}

export type Options = Omit<Partial<AuditQueryArguments>, 'files'>

export async function query(
  files: readonly string[],
  options: Options = {},
  { isTTY = false, columns }: { isTTY?: boolean; columns?: number } = {},
) {
  const { streams, written } = recordStreams()
  const stdout = Object.assign(new PassThrough(), { isTTY, ...(columns && { columns }) })
  let printed = ''
  stdout.setEncoding('utf8').on('data', text => {
    printed += text
  })
  const args = { files, configPath: 'none.yaml', ...options }
  const exitCode = await auditQueryCommand(args, {
    stdout,
    stderr: streams.stderr,
    clock: virtualClock(NOW),
  })
  const ids = () => printed.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line).id]))
  return { exitCode, stdout: printed, stderr: written.stderr, ids }
}

/** The cells of a table, as a script takes it apart. */
export async function rows(files: readonly string[], options: Options = {}): Promise<string[][]> {
  const { stdout } = await query(files, { ...options, output: 'table' })
  return stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(row => row.split(/ {2,}/))
}
