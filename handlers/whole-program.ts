import { problemReport } from '../src/cli/problem-report.ts'
import { ConfigError } from '../src/config/problems.ts'
import { addAuditCommands } from './audit-commands.ts'
import { addCallerCommands } from './caller-commands.ts'
import { addCompletionCommand } from './completion-command.ts'
import { addDevCommands } from './dev-commands.ts'
import { divideCommandLine } from './exec-arguments.ts'
import { addHelpExamples } from './help-examples.ts'
import { addOperatorCommands } from './operator-commands.ts'
import { outputStream, printWarnings } from './process-output.ts'
import { createProgram, reportFailure } from './program.ts'

// every command of the package jeton
printWarnings()
const program = createProgram()
for (const name of ['stdout', 'stderr'] as const) outputStream(name)

const { own, command } = divideCommandLine(process.argv)
// each command imports its code only when it runs, so that a caller's `jeton exec` starts without the server
addOperatorCommands(program)
addAuditCommands(program)
addCallerCommands(program, { execCommandLine: command })
addDevCommands(program)
addCompletionCommand(program)
addHelpExamples(program)

try {
  await program.parseAsync(own)
} catch (cause) {
  if (cause instanceof ConfigError) {
    process.stderr.write(await problemReport({ problems: cause.problems, warnings: [] }))
    process.exitCode = 1
  } else process.exitCode = reportFailure(cause)
}
