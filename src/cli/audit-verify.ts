import { verifyFiles } from '../audit/file/verify.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import type { CommandOutput } from './streams.ts'

export interface AuditVerifyArguments {
  /** Oldest first. */
  files: readonly string[]
  /** The hash that the chain must end with. */
  expectLast?: string | undefined
  /** The hash of the record before the first. */
  after?: string | undefined
}

/**
 * `jeton audit verify`: prints `ok: N records, last HASH` and returns 0, or prints `FILE:LINE: problem` and returns 1. A
 * line torn by a crash is accepted if the record after it names it; a note on stderr counts these.
 */
export async function auditVerifyCommand(
  { files, expectLast, after }: AuditVerifyArguments,
  { stdout, stderr }: CommandOutput,
): Promise<0 | 1> {
  const verdict = await verifyFiles(files, {
    expectLast: expectLast?.toLowerCase(),
    after: after?.toLowerCase(),
  })
  if (!verdict.ok) {
    stdout.write(`${escapeUnprintable(`${verdict.file}:${verdict.line}: ${verdict.problem}`)}\n`)
    return 1
  }
  if (verdict.recovered > 0)
    stderr.write(
      `note: pieces torn by a crash: ${verdict.recovered}; the record after each of them names it\n`,
    )
  stdout.write(`ok: ${verdict.records} records, last ${verdict.last}\n`)
  return 0
}
