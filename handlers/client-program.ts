import { USAGE_ERROR } from '../src/cli/exit-codes.ts'
import { addCallerCommands } from './caller-commands.ts'
import { OPERATOR_COMMANDS } from './command-names.ts'
import { addCompletionCommand } from './completion-command.ts'
import { divideCommandLine } from './exec-arguments.ts'
import { addHelpExamples } from './help-examples.ts'
import { outputStream } from './process-output.ts'
import { createProgram, reportFailure } from './program.ts'

/** Runs the command line of those who call a server, and sets the exit code of this process. */
export async function runClientProgram(argv: readonly string[]): Promise<void> {
  const { own, command } = divideCommandLine(argv)
  const name = own[2] ?? ''
  if (OPERATOR_COMMANDS.includes(name)) {
    outputStream('stderr').write(
      `jeton: ${name} is a command for whoever runs a jeton server, and this is the part of jeton for callers: install the package jeton, which has both (jeton --help shows what this part has)\n`,
    )
    process.exitCode = USAGE_ERROR
    return
  }
  const program = createProgram().description(
    'requests Amazon RDS IAM database authentication tokens from a jeton server: the part of jeton for callers',
  )
  addCallerCommands(program, { execCommandLine: command })
  addCompletionCommand(program)
  addHelpExamples(program)
  try {
    await program.parseAsync(own)
  } catch (cause) {
    process.exitCode = reportFailure(cause)
  }
}
