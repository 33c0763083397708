import { spawn } from 'node:child_process'

export interface Ran {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end without ever blocking this process, which may have to answer the program's questions. */
export function run(
  file: string,
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.stdin.on('error', () => {}).end(input)
    child.once('error', reject).once('close', code => resolve({ code, stdout, stderr }))
  })
}
