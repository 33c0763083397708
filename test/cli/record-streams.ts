/** Streams that record what a command writes. Its standard input arrives in these pieces. */
export function recordStreams(...input: (string | Uint8Array)[]) {
  const written = { stdout: '', stderr: '' }
  const recorder = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text
    },
  })
  const streams = { stdin: piecesOf(input), stdout: recorder('stdout'), stderr: recorder('stderr') }
  return { streams, written }
}

async function* piecesOf(input: readonly (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* input
}
