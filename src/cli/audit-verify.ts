import { verifyFiles } from '../audit/file/verify.ts'

interface Output {
  write(text: string): unknown
}

export interface AuditVerifyOptions {
  /** Oldest first. */
  files: readonly string[]
  expectLast?: string | undefined
  after?: string | undefined
  out: Output
  err: Output
}

/**
 * `jeton audit verify`: prints `ok: N records, last HASH` and gives 0, or prints `FILE:LINE: problem` and gives 1.
 * Pieces torn by a crash and named by the record after them are mentioned on `err`; they are no failure.
 */
export async function auditVerify(options: AuditVerifyOptions): Promise<0 | 1> {
  const { files, expectLast, after, out, err } = options
  const verdict = await verifyFiles(files, {
    expectLast: expectLast?.toLowerCase(),
    after: after?.toLowerCase(),
  })
  if (!verdict.ok) {
    out.write(`${verdict.file}:${verdict.line}: ${verdict.problem}\n`)
    return 1
  }
  if (verdict.recovered > 0)
    err.write(`note: ${verdict.recovered} torn by a crash, each named by the record after it\n`)
  out.write(`ok: ${verdict.records} records, last ${verdict.last}\n`)
  return 0
}
