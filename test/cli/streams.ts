/** Streams that keep what a command writes. */
export function recordedOutput() {
  const out: string[] = []
  const err: string[] = []
  return {
    out: { write: (text: string) => out.push(text) },
    err: { write: (text: string) => err.push(text) },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
  }
}

/** Standard input that arrives in these pieces. */
export async function* arriving(...pieces: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* pieces
}
