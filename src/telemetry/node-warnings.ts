import type { Log } from './log.ts'

/** A part of Node's `process`. */
export interface WarningSource {
  on(name: 'warning', listener: (warning: Error) => void): unknown
  removeAllListeners(name: 'warning'): unknown
  listenerCount(name: 'warning'): number
}

/** What the AWS SDK says on a release of Node that it is going to leave: until when, and which releases it takes then. */
const AWS_SDK_SUPPORT =
  /^NodeVersionSupportWarning: The AWS SDK .*published after (?<end>.+?)\s+will require node (?<needed>[^\s.]+)/s

/** Logs Node's warnings as events, in place of the plain text that Node would write to stderr. */
export function logNodeWarnings(log: Log, source: WarningSource = process): void {
  source.removeAllListeners('warning')
  source.on('warning', ({ name, message }) => {
    const { end, needed } = AWS_SDK_SUPPORT.exec(message)?.groups ?? {}
    if (end === undefined) log.warn({ event: 'node_warning', warning: name }, message)
    else
      log.warn(
        { event: 'node_outdated', node: process.version, needed },
        `releases of the AWS SDK after ${end.replace(/\s+/g, ' ')} do not run on this Node any more: run jeton on Node ${needed}`,
      )
  })
}

/**
 * Prints Node's warnings for a command, each as one line. Leaves out the AWS SDK's about releases of Node, which the server's log
 * has: whoever runs a command can do nothing about it there. Does nothing if Node was told not to print warnings.
 */
export function printNodeWarnings(write: (line: string) => void, source: WarningSource = process): void {
  if (source.listenerCount('warning') === 0) return
  source.removeAllListeners('warning')
  source.on('warning', ({ name, message }) => {
    if (!AWS_SDK_SUPPORT.test(message)) write(`${name}: ${message.replace(/\s+/g, ' ')}`)
  })
}
