import { invalidUsage } from '../client/errors.ts'
import { escapeJson, escapeUnprintable } from '../lib/printable.ts'
import type { Environment } from '../lib/process-input.ts'
import { messageOf } from '../lib/system-error.ts'
import { createJsonLog } from '../telemetry/json-log.ts'
import type { Log } from '../telemetry/log.ts'
import { logFormat } from '../telemetry/log-format.ts'
import { createStderrStream, type LineStream } from '../telemetry/stderr-stream.ts'
import type { TextOutput } from './streams.ts'

export interface DaemonLogOptions {
  env: Environment
  /** Whether it is a terminal decides on the form. */
  stderr: TextOutput
  /** Where the lines go; default: this process's stderr, without waiting for whoever reads it. */
  stream?: LineStream | undefined
}

/**
 * Returns the log of a caller's command that goes on running, in the form of the server's. Throws CallerError (exit code 2) if
 * JETON_LOG_FORMAT names none.
 */
export function openDaemonLog({ env, stderr, stream = createStderrStream() }: DaemonLogOptions): Log {
  const render = renderOf({ env, stderr })
  return createJsonLog({ write: line => stream.write(render(line)) }, json => json)
}

function renderOf({ env, stderr }: Pick<DaemonLogOptions, 'env' | 'stderr'>): (json: string) => string {
  const terminal = { isTTY: stderr.isTTY === true, hasColors: () => stderr.hasColors?.() === true }
  try {
    return logFormat({ choice: env.JETON_LOG_FORMAT, stderr: terminal, escapeJson, escapeUnprintable })
  } catch (cause) {
    throw invalidUsage(messageOf(cause))
  }
}
