import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { startCleanupShell } from '../../../src/dev/cleanup-shell.ts'

/** An exit code, or the signal that ended a program. */
export type ExitCode = number | NodeJS.Signals

/** A program that goes on running in a process of its own. */
export interface StartedProgram {
  readonly process: ChildProcess
  /** Lines so far. */
  readonly stdout: string[]
  readonly stderr: string[]
  /** Resolves once it has ended, with all its lines. */
  readonly ended: Promise<ExitCode>
  /** Resolves with the first that `find`, which is called after each line, returns; rejects with its lines if it ends before. */
  until<T>(find: () => T | undefined): Promise<T>
  /** Sends SIGTERM. */
  stop(): Promise<ExitCode>
}

export interface StartedProgramOptions {
  /** The program's whole environment; default for PATH: this process's. */
  env: Readonly<Record<string, string>>
  cwd?: string
  /** Whether it is a program for Node that gets messages. */
  hasMessages?: boolean
  /** What ends it if this process is gone before, without `SIG`. */
  lastSignal: 'TERM' | 'KILL'
  /** A file or folder that is removed then. */
  leftover?: string
}

/** Starts a program. If it cannot be started, it has ended at once. */
export function startProgram(
  [file = '', ...args]: readonly string[],
  { env, cwd, hasMessages = false, lastSignal, leftover = '' }: StartedProgramOptions,
): StartedProgram {
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe', ...(hasMessages ? (['ipc'] as const) : [])],
  })
  const cleanup = startCleanupShell(leftover)
  cleanup.watch(child, lastSignal)
  const news = new EventEmitter().setMaxListeners(0)
  const stdout = collectLines(child.stdout, news)
  const stderr = collectLines(child.stderr, news)
  let exitCode: ExitCode | undefined
  child.once('error', cause => stderr.push(String(cause)))
  const ended = new Promise<ExitCode>(resolve => {
    child.once('close', (code, signal) => {
      cleanup.release()
      exitCode = code ?? signal ?? 0
      news.emit('line')
      resolve(exitCode)
    })
  })
  return {
    process: child,
    stdout,
    stderr,
    ended,
    async until(find) {
      for (;;) {
        const found = find()
        if (found !== undefined) return found
        if (exitCode !== undefined)
          throw new Error(`${file} ended (${exitCode}): ${[...stdout, ...stderr].join('\n')}`)
        await once(news, 'line')
      }
    },
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

function collectLines(stream: NodeJS.ReadableStream | null, news: EventEmitter): string[] {
  const lines: string[] = []
  if (stream)
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      news.emit('line')
    })
  return lines
}
