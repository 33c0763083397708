/** Encodes one DER element: tag, length in as few bytes as possible, contents (ITU-T X.690, 8.1 and 10.1). */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const significant = length.subarray(length.findIndex(byte => byte !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 | significant.length]), significant, body])
}

export interface DerElement {
  readonly tag: number
  readonly contents: Buffer
  /** Where the next element begins. */
  readonly end: number
}

/** Returns the element at `offset`, or undefined if its bytes are not complete. Throws on lengths of more than 4 bytes. */
export function readElement(bytes: Buffer, offset = 0): DerElement | undefined {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthBytes > 4)
    throw new Error('the DER length is indefinite or longer than 4 bytes')
  const start = offset + 2 + lengthBytes
  if (bytes.length < start) return undefined
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(offset + 2, lengthBytes))
  if (bytes.length < end) return undefined
  return { tag, contents: bytes.subarray(start, end), end }
}
