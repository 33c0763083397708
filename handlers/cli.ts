#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { EXEC_FAILED, USAGE_ERROR } from '../src/cli/exit-codes.ts'
import { problemReport } from '../src/cli/problem-report.ts'
import { ConfigError } from '../src/config/problems.ts'
import { escapeUnprintable } from '../src/lib/printable.ts'
import { messageOf, systemCode } from '../src/lib/system-error.ts'
import { printNodeWarnings } from '../src/telemetry/node-warnings.ts'
import { addAuditCommands } from './audit-commands.ts'
import { addCallerCommands } from './caller-commands.ts'
import { addDevCommands } from './dev-commands.ts'
import { divideCommandLine } from './exec-arguments.ts'
import { addOperatorCommands } from './operator-commands.ts'

const program = new Command('jeton')
  .description(
    'vends Amazon RDS IAM database authentication tokens to workloads that hold no AWS credentials',
  )
  .version(manifest.version)
  .enablePositionalOptions()
  .configureOutput({
    outputError: (text, write) => write(text.split('\n').map(escapeUnprintable).join('\n')),
  })
  .exitOverride()

printNodeWarnings(line => process.stderr.write(`warning: ${escapeUnprintable(line)}\n`))

for (const stream of [process.stdout, process.stderr])
  stream.on('error', cause => {
    // the reader, such as `head`, has read enough, or the terminal is closed
    if (!['EPIPE', 'EIO'].includes(systemCode(cause) ?? '')) throw cause
  })

const { own, command } = divideCommandLine(process.argv)
// each command imports its code only when it runs, so that a caller's `jeton exec` starts without the server
addOperatorCommands(program)
addAuditCommands(program)
addCallerCommands(program, { execCommandLine: command })
addDevCommands(program)

try {
  await program.parseAsync(own)
} catch (cause) {
  process.exitCode = await exitCodeOf(cause)
}

async function exitCodeOf(cause: unknown): Promise<number> {
  if (cause instanceof CommanderError) {
    if (cause.exitCode === 0) return 0
    return process.argv[2] === 'exec' ? EXEC_FAILED : USAGE_ERROR
  }
  if (cause instanceof ConfigError)
    process.stderr.write(await problemReport({ problems: cause.problems, warnings: [] }))
  else process.stderr.write(`jeton: ${escapeUnprintable(messageOf(cause, 'failed'))}\n`)
  return 1
}
