import type { Command } from 'commander'
import { outputStream } from './process-output.ts'

/** Adds `jeton completion`, which knows all commands of the program, added before or after it: docs/cli.md#jeton-completion. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script with which a shell completes commands, options and forms')
    .addArgument(program.createArgument('<shell>', 'whose script').choices(['bash', 'zsh', 'fish']))
    .action(async shell => {
      const { completionCommand } = await import('../src/cli/completion/command.ts')
      process.exitCode = completionCommand(shell, program, outputStream('stdout'))
    })
}
