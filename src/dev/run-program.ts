import { spawn } from 'node:child_process'

export interface ProgramOptions {
  readonly file: string
  readonly args: readonly string[]
  /** Its whole environment. */
  readonly env: Record<string, string>
  /** Ends it. */
  readonly signal: AbortSignal
}

/**
 * Runs a program to its end and returns what it printed on stdout. Never blocks this process, which may have to answer the
 * program's requests. Rejects with its stderr if it fails.
 */
export function runProgram({ file, args, env, signal }: ProgramOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.once('error', reject).once('close', code => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`${file} ${args[0]} failed: ${stderr.trim()}`))
    })
  })
}
