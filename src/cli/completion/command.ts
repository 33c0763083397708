import type { TextOutput } from '../streams.ts'
import { bashScript } from './bash.ts'
import { type CommandNode, commandTree, type ParsedCommand } from './command-tree.ts'
import { fishScript } from './fish.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS: Readonly<Record<string, (program: CommandNode) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** `jeton completion`: prints a script that completes the commands that this program has. Returns the exit code. */
export function completionCommand(shell: string, program: ParsedCommand, stdout: TextOutput): number {
  stdout.write(SCRIPTS[shell]?.(commandTree(program)) ?? '')
  return 0
}
