import { CallerError, invalidUsage } from '../../client/errors.ts'
import { catchCallerErrors, parseTextOrJson } from '../caller-command.ts'
import type { CallerArguments } from '../token-options.ts'
import { diagnose } from './diagnosis.ts'
import { type DoctorContext, examine, type Findings } from './examination.ts'
import { createJsonReport, createTextReport, type DoctorReport } from './report.ts'
import { StepFailed } from './step.ts'

export interface DoctorArguments extends CallerArguments {
  /** A CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
  /** How long each step on the way to the database may take, in seconds; default 10. */
  timeout?: string | undefined
  /** `text` (the default) or `json`. */
  output?: string | undefined
}

const DEFAULT_TIMEOUT = '10'

/**
 * `jeton doctor`: goes the way of a login step by step, and explains the first that fails. Returns the exit code: 0 if all is
 * well, 1 if a step failed, and as `jeton token` 2 for a usage error, 3 if jeton refuses, 4 if it says to come back later.
 */
export function doctorCommand(args: DoctorArguments, context: DoctorContext): Promise<number> {
  const findings: Findings = {}
  return catchCallerErrors(context.stderr, async () => {
    const report = parseReport(args, context)
    const timeoutMs = parseTimeout(args.timeout ?? DEFAULT_TIMEOUT)
    try {
      await examine({ ...args, timeoutMs }, { context, watch: report, findings })
    } catch (failed) {
      if (!(failed instanceof StepFailed)) throw failed
      report.end(diagnose(failed.step, failed.cause, findings))
      return failed.cause instanceof CallerError ? failed.cause.exitCode : 1
    }
    report.end()
    return 0
  })
}

function parseReport({ output, database, user }: DoctorArguments, { stdout }: DoctorContext): DoctorReport {
  return parseTextOrJson(output) === 'json'
    ? createJsonReport(stdout, { database, user })
    : createTextReport(stdout)
}

function parseTimeout(text: string): number {
  const ms = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) * 1000 : 0
  if (ms <= 0) throw invalidUsage('--timeout takes a number of seconds')
  return ms
}
