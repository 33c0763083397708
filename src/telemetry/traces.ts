/** What a span is of. */
export type SpanName =
  | 'jeton.authenticate'
  | 'jeton.vend'
  | 'jeton.wait_for_slot'
  | 'jeton.assume_role'
  | 'jeton.store'
  | 'jeton.audit'
  | 'jeton.fetch_keys'

/** What may be said in a span: names of the configuration, codes and ids. Never a secret. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>

/** The span of one request. */
export interface RequestSpan {
  /** Undefined if OpenTelemetry follows no trace, such as one that was switched off. */
  readonly traceId: string | undefined
  /** Runs work in the request's context: spans that begin in it, and in what it waits for, belong to the request. */
  run<Result>(work: () => Result): Result
  /** Ends the span. */
  end(reply: { status: number; route: string | undefined }): void
}

/** The port through which jeton's parts report spans. `open-telemetry.ts` implements it; without it there are none. */
export interface Traces {
  /** Begins the span of a request, within the trace that its headers name. */
  beginRequest(request: {
    method: string
    headers: Readonly<Record<string, string | string[] | undefined>>
  }): RequestSpan
  /** Runs work in a span of its own, which ends as it settles. */
  inSpan<Result>(name: SpanName, work: () => Promise<Result>): Promise<Result>
  /** Begins a span for work that calls back, and returns what ends it, with an error if it failed. */
  begin(name: SpanName): (error?: unknown) => void
  /** Adds a span for work that has just ended, which took so long (ms). */
  addEnded(name: SpanName, work: { durationMs: number; facts: SpanFacts }): void
  /** Returns what adds to the span of the request that the caller works for, from wherever it is called. */
  factsOfRequest(): (facts: SpanFacts) => void
  /** Resolves when the spans that have ended are where they go, or cannot get there. Has no time limit. */
  flush(): Promise<void>
  /** Returns the id of the trace that the caller works for. */
  currentTraceId(): string | undefined
}

/** Where a program that loads OpenTelemetry registers what makes spans: one place for all copies of its API of one major version. */
const API = Symbol.for('opentelemetry.js.api.1')

/** Whether this process has loaded an OpenTelemetry that traces, as `node --import` does. Loads nothing. */
export function hasOpenTelemetry(globals: object): boolean {
  const { [API]: api } = globals as { readonly [API]?: { readonly trace?: unknown } }
  return api?.trace !== undefined
}

/** Does what a function does, in a span of its own. */
export type TraceCalls = <Arguments extends unknown[], Result>(
  name: SpanName,
  call: (...args: Arguments) => Promise<Result>,
) => (...args: Arguments) => Promise<Result>

/** Returns what puts the calls of a function into spans; without traces it returns the function itself. */
export function createTraceCalls(traces: Traces | undefined): TraceCalls {
  return (name, call) => (traces ? (...args) => traces.inSpan(name, () => call(...args)) : call)
}
