/** Environment variables by name, as in `process.env`. */
export type Environment = { readonly [name: string]: string | undefined }

type ByteStream = AsyncIterable<Uint8Array | string>

/** Returns all of a stream, such as stdin, as UTF-8 text. Throws what the stream throws. */
export async function readText(stream: ByteStream): Promise<string> {
  return (await readTextUpTo(stream, Number.POSITIVE_INFINITY)) ?? ''
}

/** As `readText`, but undefined if there are more than `maxBytes`: it then stops reading, which destroys a Node stream. */
export async function readTextUpTo(stream: ByteStream, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    if (bytes > maxBytes) return undefined
    chunks.push(piece)
  }
  // as a whole, because a character may lie across two chunks
  return Buffer.concat(chunks).toString()
}
