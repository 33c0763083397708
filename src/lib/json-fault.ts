import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser'

export interface JsonFault {
  readonly offset: number
  readonly line: number
  readonly column: number
  /** The parser's name for it, such as `CommaExpected`. */
  readonly code: string
}

/** Returns the first place at which a text is not JSON (RFC 8259); undefined if it is JSON, or nested too deeply for the parser. */
export function firstJsonFault(text: string): JsonFault | undefined {
  let fault: JsonFault | undefined
  const onError = (code: ParseErrorCode, offset: number, _length: number, line: number, column: number) => {
    fault ??= { offset, line: line + 1, column: column + 1, code: printParseErrorCode(code) }
  }
  try {
    visit(text, { onError }, { disallowComments: true })
  } catch (cause) {
    // the parser calls itself for each level
    if (!(cause instanceof RangeError)) throw cause
  }
  return fault
}
