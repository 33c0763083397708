type ByteStream = AsyncIterable<Uint8Array | string>

/** Reads a stream, such as stdin, to its end and returns it as UTF-8 text. Throws what the stream throws. */
export async function readText(stream: ByteStream): Promise<string> {
  return (await readTextUpTo(stream, Number.POSITIVE_INFINITY)) ?? ''
}

/** As `readText`, but undefined when there are more than `maxBytes`: it then stops reading, which destroys a Node stream. */
export async function readTextUpTo(stream: ByteStream, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    if (bytes > maxBytes) return undefined
    chunks.push(piece)
  }
  // as a whole, for a character may lie across two chunks
  return Buffer.concat(chunks).toString()
}
