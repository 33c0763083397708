import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { addAuditCommands } from '../../handlers/audit-commands.ts'
import { addCallerCommands } from '../../handlers/caller-commands.ts'
import { CALLER_COMMANDS, OPERATOR_COMMANDS } from '../../handlers/command-names.ts'
import { addDevCommands } from '../../handlers/dev-commands.ts'
import { addOperatorCommands } from '../../handlers/operator-commands.ts'
import { createProgram } from '../../handlers/program.ts'

function namesOf(addCommands: (program: Command) => void): string[] {
  const program = createProgram()
  addCommands(program)
  return program.commands.flatMap(command => [command.name(), ...command.aliases()])
}

test('the commands for callers, which the package starts from the one file, are all that there are', () => {
  const names = namesOf(program => addCallerCommands(program, { execCommandLine: undefined }))
  expect([...CALLER_COMMANDS].sort()).toEqual(names.sort())
})

test('the commands for operators, to which the one file says where they are to be had, are all that there are', () => {
  const names = namesOf(program => {
    addOperatorCommands(program)
    addAuditCommands(program)
    addDevCommands(program)
  })
  expect([...OPERATOR_COMMANDS].sort()).toEqual(names.sort())
})
