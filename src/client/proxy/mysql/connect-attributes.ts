import { createFieldReader } from '../../wire/mysql-fields.ts'
import { lengthEncoded } from '../../wire/mysql-packets.ts'

const PROGRAM_NAME = 'program_name'
/** What a server takes; MySQL keeps 512 bytes unless it is told otherwise. */
const MAX_BYTES = 0xffff

/**
 * Returns a client's attributes, byte for byte, with the program's name after them if they have none and one is given. Those that
 * cannot be read, or would become too long, stay as they are.
 */
export function nameProgram(attributes: Buffer | undefined, name: string | undefined): Buffer | undefined {
  if (name === undefined) return attributes
  const own = attributes ?? Buffer.alloc(0)
  const named = Buffer.concat([
    own,
    lengthEncoded(Buffer.from(PROGRAM_NAME)),
    lengthEncoded(Buffer.from(name)),
  ])
  return named.length > MAX_BYTES || !isWithoutName(own) ? attributes : named
}

function isWithoutName(attributes: Buffer): boolean {
  const fields = createFieldReader(attributes)
  try {
    while (!fields.isAtEnd()) {
      if (fields.lengthEncoded().toString() === PROGRAM_NAME) return false
      fields.lengthEncoded()
    }
    return true
  } catch {
    return false
  }
}
