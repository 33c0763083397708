#!/usr/bin/env node
import { USAGE_ERROR } from '../src/cli/exit-codes.ts'
import { addCallerCommands } from './caller-commands.ts'
import { addCompletionCommand } from './completion-command.ts'
import { divideCommandLine } from './exec-arguments.ts'
import { addHelpExamples } from './help-examples.ts'
import { outputStream } from './output-stream.ts'
import { createProgram, reportFailure } from './program.ts'

/** What only the package `jeton` has. */
const OPERATOR_COMMANDS: readonly string[] = [
  'serve',
  'check',
  'explain',
  'apikey',
  'iam',
  'sql',
  'lint-policy',
  'audit',
  'demo',
]

// no `await` at the top of this entry: the file that it becomes is CommonJS where its name does not end in .mjs
const { own, command } = divideCommandLine(process.argv)
const name = own[2] ?? ''
if (OPERATOR_COMMANDS.includes(name)) {
  outputStream('stderr').write(
    `jeton: ${name} is a command for whoever runs a jeton server, and this is the part of jeton for callers: install the package jeton, which has both (jeton --help shows what this part has)\n`,
  )
  process.exitCode = USAGE_ERROR
} else {
  const program = createProgram().description(
    'requests Amazon RDS IAM database authentication tokens from a jeton server: the part of jeton for callers',
  )
  addCallerCommands(program, { execCommandLine: command })
  addCompletionCommand(program)
  addHelpExamples(program)
  program.parseAsync(own).catch(cause => {
    process.exitCode = reportFailure(cause)
  })
}
