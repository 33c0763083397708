export interface BodyLimit {
  maxBytes: number
  /** Returns the error for a body that is too long, or that broke off because of `cause`. */
  refusal(what: string, cause?: unknown): Error
}

/**
 * Returns the body of a response, and stops reading at the first chunk beyond `maxBytes`. Counts the bytes themselves:
 * `Content-Length` is only what the server claims, and does not tell how long a compressed body is once it is unpacked.
 * Throws what `refusal` returns.
 */
export async function readBounded(response: Response, { maxBytes, refusal }: BodyLimit): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array()
  const chunks: Uint8Array[] = []
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read().catch(cause => {
      throw refusal('broke off its answer', cause)
    })
    if (done) return Buffer.concat(chunks)
    bytes += value.byteLength
    if (bytes > maxBytes) throw refusal(`answered with more than ${maxBytes} bytes`)
    chunks.push(value)
  }
}
