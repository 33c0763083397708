import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { hasProgram } from './databases/install.ts'
import { type ProgramResult, run } from './run.ts'
import { CLI } from './service/jeton.ts'

/** Whether terminals can be opened here: BSD's `script` takes other options. */
export const hasTerminals = process.platform === 'linux' && (await hasProgram('script'))

/**
 * Runs a line of the shell in a terminal of its own, of 50 lines, to its end; `input` is typed. The terminal shows what is typed,
 * too, and ends lines by CR LF; what goes to stderr is in `stdout`.
 */
export function runInTerminal(
  line: string,
  options: { env: Record<string, string>; input?: string },
): Promise<ProgramResult> {
  return run('script', ['-qec', `stty rows 50 cols 200; ${line}`, '/dev/null'], {
    ...options,
    env: { SHELL: '/bin/sh', TERM: 'xterm-256color', ...options.env },
  })
}

/**
 * Runs a command of jeton in a terminal of its own, until it has printed a text. `close` closes the terminal as if its window
 * were closed: the command gets SIGHUP, and can no longer write.
 */
export async function openTerminal(
  args: readonly string[],
  { until, env }: { until: string; env: Record<string, string> },
): Promise<{ printed: string; close(): Promise<void> }> {
  const terminal = spawn('script', ['-qec', [process.execPath, CLI, ...args].join(' '), '/dev/null'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let printed = ''
  for await (const chunk of terminal.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk
    if (printed.includes(until)) break
  }
  expect(printed).toContain(until)
  terminal.stdout.resume()
  return {
    printed,
    async close() {
      terminal.kill('SIGKILL')
      await once(terminal, 'exit')
    },
  }
}
