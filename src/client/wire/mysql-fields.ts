import { protocolError } from './wire-error.ts'

/** Reads what is in a packet, in order. Each function throws WireError if the packet ends before it. */
export interface FieldReader {
  take(length: number): Buffer
  /** A text up to its zero; what is left, if there is none. */
  untilZero(): Buffer
  /** Bytes with their length before them. */
  lengthEncoded(): Buffer
  isAtEnd(): boolean
}

/** How many bytes the length takes that comes after these marks; the mark for 8 is of no packet of a login. */
const LENGTH_BYTES: Readonly<Record<number, number>> = { 252: 2, 253: 3 }

export function createFieldReader(payload: Buffer): FieldReader {
  let at = 0
  function take(length: number): Buffer {
    if (length > payload.length - at) throw malformed()
    at += length
    return payload.subarray(at - length, at)
  }
  return {
    take,
    untilZero() {
      const end = payload.indexOf(0, at)
      if (end < 0) return take(payload.length - at)
      return take(end + 1 - at).subarray(0, -1)
    },
    lengthEncoded() {
      const [first = 0] = take(1)
      if (first < 0xfb) return take(first)
      const size = LENGTH_BYTES[first]
      if (size === undefined) throw malformed()
      return take(take(size).readUIntLE(0, size))
    },
    isAtEnd: () => at >= payload.length,
  }
}

const malformed = () => protocolError('a packet of MySQL ends too early')
