export interface Bound {
  limitBytes: number
  /** Makes the error of a body that is too long, or that broke off for `cause`. */
  refusal(what: string, cause?: unknown): Error
}

/**
 * Reads a body up to a limit, and not a chunk further. `Content-Length` is the other side's word and says nothing of a
 * compressed body, so the bytes are counted. Throws what `refusal` makes.
 */
export async function readBounded(response: Response, { limitBytes, refusal }: Bound): Promise<Uint8Array> {
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
