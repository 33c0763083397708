import { spawn } from 'node:child_process'

export interface ProgramResult {
  /** The exit code; null if a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Never blocks this process, which may have to answer the program's requests. */
export function run(
  file: string,
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<ProgramResult> {
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
