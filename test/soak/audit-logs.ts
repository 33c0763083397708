import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import { runCli } from '../support/service/jeton.ts'
import type { Deliveries } from './deliveries.ts'
import type { Instance } from './instance.ts'

export interface AuditLogsResult {
  readonly records: number
  /** Tokens that a caller got and no record names. */
  readonly unrecorded: readonly string[]
  /** What `jeton audit verify` printed for logs whose chain is broken. */
  readonly broken: readonly string[]
}

/** Reads the audit logs of instances that have stopped, and has the command line verify the hash chain of each. */
export async function checkAuditLogs(
  instances: readonly Instance[],
  { deliveries, lastHashes }: { deliveries: Deliveries; lastHashes: readonly (string | undefined)[] },
): Promise<AuditLogsResult> {
  const missing = new Map(deliveries.fingerprintByAuditId)
  let records = 0
  for (const file of instances.flatMap(({ auditFiles }) => auditFiles)) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      // a piece of a line that a kill tore is no record; the command verifies that the next one names it
      const record = parseRecord(line)?.record
      if (!record) continue
      records++
      if (record.decision === 'vended' && record.fingerprint === missing.get(record.id))
        missing.delete(record.id)
    }
  }
  const verdicts = await Promise.all(
    instances.map(({ auditFiles }, i) => {
      const last = lastHashes[i]
      const expected = last === undefined ? [] : ['--expect-last', last]
      return runCli(['audit', 'verify', ...auditFiles, ...expected])
    }),
  )
  return {
    records,
    unrecorded: [...missing.keys()],
    broken: verdicts.filter(({ code }) => code !== 0).map(({ stdout, stderr }) => stdout + stderr),
  }
}
