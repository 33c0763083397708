import { tryAuditFile } from '../../audit/file/try-file.ts'
import type { DynamodbSinkConfig, SinkConfig } from '../../config/config.ts'
import type { Clock } from '../../lib/clock.ts'
import { messageOf, systemCode } from '../../lib/system-error.ts'
import { failed, type LiveCheck, type LiveResult, ok } from './live-check.ts'
import { expiryCheck, openTableClient } from './tables.ts'

/** Returns the checks of a sink. No record is written to it. */
export function sinkChecks(sink: SinkConfig, clock: Clock): LiveCheck[] {
  switch (sink.type) {
    case 'stdout':
      return [
        { what: 'audit stdout', run: async () => ok("needs nothing: it is the server's standard output") },
      ]
    case 'file':
      return [{ what: `audit file ${sink.path}`, run: () => tryFile(sink.path) }]
    case 'dynamodb': {
      const what = `audit table ${sink.table}`
      const put = { what, run: () => tryTable(sink, clock) }
      if (sink.retentionDays === undefined) return [put]
      return [put, expiryCheck(`${what}: TTL`, { config: sink, clock })]
    }
  }
}

async function tryFile(path: string): Promise<LiveResult> {
  try {
    const state = await tryAuditFile(path)
    if (state === 'taken') return ok('a running jeton writes to it')
    return ok('may be written to, and no other process does')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT')
      return failed('its folder does not exist: create it, for the user that jeton runs as')
    // the first column names the file
    return failed(messageOf(cause).replace(`${path}: `, ''))
  }
}

async function tryTable(sink: DynamodbSinkConfig, clock: Clock): Promise<LiveResult> {
  const [client, { tryPutItem }] = await Promise.all([
    openTableClient(sink, clock),
    import('../../audit/dynamodb/put-item.ts'),
  ])
  await tryPutItem({ client, table: sink.table })
  return ok('may be put to: tried with a put on a condition that never holds, which writes nothing')
}
