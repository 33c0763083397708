import { isatty } from 'node:tty'

/** The part of Node's `process` by which a server learns that its terminal is gone. */
export interface TerminalHost {
  readonly pid: number
  on(signal: 'SIGHUP', listener: () => void): unknown
  kill(pid: number, signal: 'SIGTERM'): unknown
}

const STDERR = 2

/**
 * Ends this process as SIGTERM does when the terminal that it writes to is closed. A server takes SIGHUP for a reload, and one
 * that somebody tried in a terminal would outlive it unseen. A SIGHUP while the terminal is there changes nothing.
 */
export function endWithTerminal(host: TerminalHost, isTerminal: () => boolean = () => isatty(STDERR)): void {
  if (!isTerminal()) return
  host.on('SIGHUP', () => {
    if (!isTerminal()) host.kill(host.pid, 'SIGTERM')
  })
}
