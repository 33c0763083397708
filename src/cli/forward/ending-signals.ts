/** Node's `process`, as far as it is asked to end. */
export interface ForwardHost {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/** What signals ask for. */
export interface EndingSignals {
  /** Aborts with the first: what is under way may end. */
  readonly stop: AbortSignal
  /** Aborts with the second. */
  readonly abort: AbortSignal
  /** Leaves signals to others. */
  close(): void
}

/** Listens to SIGTERM and SIGINT. */
export function endingSignals(host: ForwardHost): EndingSignals {
  const [stop, abort] = [new AbortController(), new AbortController()]
  const onSignal = () => (stop.signal.aborted ? abort : stop).abort()
  host.on('SIGTERM', onSignal)
  host.on('SIGINT', onSignal)
  return {
    stop: stop.signal,
    abort: abort.signal,
    close() {
      host.off('SIGTERM', onSignal)
      host.off('SIGINT', onSignal)
    },
  }
}
