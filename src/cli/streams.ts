/** Where a command writes text: `process.stdout`, `process.stderr`, or what a test records. */
export interface TextOutput {
  write(text: string): unknown
  /** Whether it is a terminal, as Node's streams have it. */
  readonly isTTY?: boolean
  /** Whether it has colours; counts NO_COLOR, FORCE_COLOR and TERM=dumb. */
  hasColors?(): boolean
}

/** What a command prints: results on `stdout`; notes and errors on `stderr`. */
export interface CommandOutput {
  readonly stdout: TextOutput
  readonly stderr: TextOutput
}

/** The streams of a command that also reads its standard input. */
export interface CommandStreams extends CommandOutput {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean }
}
