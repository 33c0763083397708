import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addAuditCommands } from '../../handlers/audit-commands.ts'
import { addCallerCommands } from '../../handlers/caller-commands.ts'
import { addCompletionCommand } from '../../handlers/completion-command.ts'
import { addDevCommands } from '../../handlers/dev-commands.ts'
import { divideCommandLine } from '../../handlers/exec-arguments.ts'
import { addHelpExamples, HELP_EXAMPLES } from '../../handlers/help-examples.ts'
import { addOperatorCommands } from '../../handlers/operator-commands.ts'
import { createProgram } from '../../handlers/program.ts'

/** The program, whose commands only say which of them ran. */
function createSilentProgram(execCommandLine: readonly string[] | undefined, onRun: (name: string) => void) {
  const program = createProgram().configureOutput({ writeErr: () => {}, outputError: () => {} })
  addOperatorCommands(program)
  addAuditCommands(program)
  addCallerCommands(program, { execCommandLine })
  addDevCommands(program)
  addCompletionCommand(program)
  addHelpExamples(program)
  for (const [path, command] of leaves(program)) command.action(() => onRun(path))
  return program
}

function leaves(command: Command, above = ''): [path: string, command: Command][] {
  const path = `${above} ${command.name()}`.trim()
  if (command.commands.length === 0) return [[path, command]]
  return command.commands.flatMap(each => leaves(each, path))
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: written => (text += written) }).outputHelp()
  return text
}

/** The calls of jeton in a line of a shell, as lists of words. */
function callsIn(line: string): string[][] {
  return [...line.matchAll(/jeton (?:'[^']*'|[^|>')])+/g)].map(([call]) =>
    [...call.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''),
  )
}

async function parse([, ...words]: readonly string[]): Promise<string> {
  let ran = ''
  const { own, command } = divideCommandLine(['node', 'jeton', ...words])
  await createSilentProgram(command, name => (ran = name)).parseAsync(own)
  return ran
}

const commands = leaves(createSilentProgram(undefined, () => {}))

describe('the help of', () => {
  test.each(commands)('%s has an example that parses', async (path, command) => {
    const [, line] = /\nExample: [a-z].*\n {2}(jeton .*)\n$/.exec(helpOf(command)) ?? []
    expect(line).toBeDefined()
    const ran = await Promise.all(callsIn(line ?? '').map(parse))
    expect(ran).toContain(path)
    expect(ran).not.toContain('')
  })
})

test('no example is of a command that does not exist', () => {
  const paths = commands.map(([path]) => path)
  expect(Object.keys(HELP_EXAMPLES).filter(path => !paths.includes(path))).toEqual([])
})

test('an example with an option that does not exist would be found', async () => {
  await expect(parse(['jeton', 'token', 'orders', '--usr', 'x'])).rejects.toThrow("unknown option '--usr'")
})
