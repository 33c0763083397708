import { Lexer, LineCounter, Parser } from 'yaml'

/** No configuration and no document of AWS's tools is nearly so deep. */
const MAX_DEPTH = 100

/** Where a text is nested too deeply. */
export interface TooDeepPlace {
  readonly offset: number
  /** Knows the lines up to there. */
  readonly lineCounter: LineCounter
}

/**
 * Returns where YAML is nested in more than a hundred levels; undefined if it is not. Such a text must not be given to the
 * parser of YAML: it recurses, and V8 ends the process if a regular expression has to be compiled where the stack ends.
 */
export function findTooDeep(text: string): TooDeepPlace | undefined {
  const lineCounter = new LineCounter()
  lineCounter.addNewLine(0)
  const parser = new Parser(lineCounter.addNewLine)
  for (const lexeme of new Lexer().lex(text)) {
    // what is complete leaves the stack
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) return { offset: parser.offset, lineCounter }
  }
  return undefined
}
