export interface BodyLimit {
  limitBytes: number
  /** Makes the error for a body that is too long, or that broke off because of `cause`. */
  refusal(what: string, cause?: unknown): Error
}

/**
 * Reads the body of a response up to a limit, and stops at the first chunk beyond it. Counts the bytes themselves:
 * `Content-Length` is only what the server claims, and says nothing of a compressed body once it is unpacked.
 * Throws what `refusal` returns.
 */
export async function readBounded(
  response: Response,
  { limitBytes, refusal }: BodyLimit,
): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array()
  const chunks: Uint8Array[] = []
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read().catch(cause => {
      throw refusal('broke off its answer', cause)
    })
    if (done) return Buffer.concat(chunks)
    bytes += value.byteLength
    if (bytes > limitBytes) throw refusal(`answered with more than ${limitBytes} bytes`)
    chunks.push(value)
  }
}
