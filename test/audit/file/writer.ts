import { createAuditLog } from '../../../src/audit/audit-log.ts'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { createStdoutSink } from '../../../src/audit/stdout/sink.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import type { Log } from '../../../src/telemetry/log.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { record } from '../support.ts'

// A process that vends into a file and prints the id of each acknowledged record until it is killed; or, without a file,
// vends into stdout and exits as soon as that fails. `user` is the id of the user that it becomes, if it is root.
const [, , prefix = 'r', path, user = '0'] = process.argv
if (user !== '0' && process.getuid?.() === 0) process.setuid?.(Number(user))
const clock = systemClock()
const health = createHealth()
const recorder = createLogRecorder()
const log: Log = {
  ...recorder,
  error(fields, msg) {
    recorder.error(fields, msg)
    if (fields.event === 'audit_tail_missing') process.stderr.write(`${fields.event} ${fields.expected}\n`)
  },
}
try {
  const sink = path ? await openFileSink({ path, clock, health, log }) : createStdoutSink(process.stdout)
  const auditLog = createAuditLog({ sinks: [sink], clock, health, log })
  const caller = async (name: string) => {
    for (let i = 0; ; i++) {
      const id = `${prefix}-${name}-${i}`
      await auditLog.write(record({ id }))
      if (path) process.stdout.write(`${id}\n`)
    }
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(caller))
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : 'failed')
  process.exit(1)
}
