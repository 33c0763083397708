import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { EXEC_FAILED, USAGE_ERROR } from '../src/cli/exit-codes.ts'
import { escapeUnprintable, shorten } from '../src/lib/printable.ts'
import { messageOf } from '../src/lib/system-error.ts'
import { outputStream } from './process-output.ts'

/** Returns the command line without its commands. */
export function createProgram(): Command {
  return new Command('jeton')
    .description(
      'vends Amazon RDS IAM database authentication tokens to workloads that hold no AWS credentials',
    )
    .version(manifest.version)
    .enablePositionalOptions()
    .configureOutput({
      writeOut: text => outputStream('stdout').write(text),
      writeErr: text => outputStream('stderr').write(text),
      outputError: (text, write) => write(withoutSecrets(text).split('\n').map(escapeUnprintable).join('\n')),
    })
    .exitOverride()
}

/** Longer than any command or option, and shorter than what is secret, such as a token in the place of one. */
const MAX_WORD = 40

function withoutSecrets(text: string): string {
  return text.replace(
    /'([^']+)'/g,
    (_, word: string) => `'${word.length > MAX_WORD ? shorten(word, MAX_WORD / 2) : word}'`,
  )
}

/** Prints why a command line or a command failed, unless commander has done so, and returns the exit code. */
export function reportFailure(cause: unknown): number {
  if (cause instanceof CommanderError) {
    if (cause.exitCode === 0) return 0
    return process.argv[2] === 'exec' ? EXEC_FAILED : USAGE_ERROR
  }
  outputStream('stderr').write(`jeton: ${escapeUnprintable(messageOf(cause, 'failed'))}\n`)
  return 1
}
