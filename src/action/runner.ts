import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { errorLine, failure } from '../client/errors.ts'
import { maskCommands } from '../client/masks.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import type { Environment } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'

/** The runner of a job, as an action speaks to it. */
export interface Runner {
  /** Has a token replaced in the log, in every form that jeton writes. Before anything else that has the token in it. */
  maskToken(token: string): void
  /** Prints a line, in which the runner sees no command. */
  log(line: string): void
  warn(text: string): void
  /** Prints why the step failed. */
  fail(cause: unknown): void
  /** Sets outputs of the step. */
  setOutputs(outputs: Values): Promise<void>
  /** Sets variables of the steps that follow. */
  exportVariables(variables: Values): Promise<void>
  /** Sets what `post` is told, in variables that begin with `STATE_`. */
  saveState(state: Values): Promise<void>
  /** Puts a folder in front of PATH of the steps that follow. */
  addPath(folder: string): Promise<void>
}

type Values = Readonly<Record<string, string>>

export interface RunnerParts {
  env: Environment
  stdout: { write(text: string): unknown }
}

/**
 * Returns what speaks to the runner of GitHub Actions by its standard output and its files.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function createRunner({ env, stdout }: RunnerParts): Runner {
  const command = (name: string, text: string) =>
    stdout.write(`::${name} title=jeton::${escapeData(escapeUnprintable(text))}\n`)
  const append = (variable: string, text: string) => appendTo({ variable, path: env[variable], text })
  const write = (variable: string, values: Values) =>
    append(variable, Object.entries(values).map(renderValue).join(''))

  return {
    maskToken: token => stdout.write(maskCommands(token, { GITHUB_ACTIONS: 'true' })),
    log: line => stdout.write(`${withoutCommands(escapeUnprintable(line))}\n`),
    warn: text => command('warning', text),
    fail: cause => command('error', errorLine(cause).trimEnd()),
    setOutputs: outputs => write('GITHUB_OUTPUT', outputs),
    exportVariables: variables => write('GITHUB_ENV', variables),
    saveState: state => write('GITHUB_STATE', state),
    addPath: folder => append('GITHUB_PATH', `${folder}\n`),
  }
}

/** Nobody can guess the delimiter, so no value can end before its end and set something else. */
function renderValue([name, value]: [string, string]): string {
  const delimiter = `jeton-${randomUUID()}`
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`
}

async function appendTo({
  variable,
  path,
  text,
}: {
  variable: string
  path: string | undefined
  text: string
}): Promise<void> {
  if (!path) throw failure(`${variable} is not set: this runs as a step of GitHub Actions alone`)
  await writeFile(path, text, { flag: 'a' }).catch(cause => {
    throw failure(`cannot write to the file of ${variable}${systemCodeNote(cause)}`, cause)
  })
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** A runner takes `::` at the beginning of a line for a command, and `##[` anywhere. */
function withoutCommands(line: string): string {
  return line.replace(/^\s*::/, ' : : ').replaceAll('##[', '# # [')
}
