import { type CST, Lexer, LineCounter, Parser } from 'yaml'

/** No configuration and no document of AWS's tools is nearly so deep. */
const MAX_DEPTH = 100

/** Where a text is nested too deeply. */
export interface TooDeepPlace {
  readonly offset: number
  /** Knows the lines up to there. */
  readonly lineCounter: LineCounter
}

/** The tokens of a text for the composer of YAML, or where it is nested too deeply. */
export interface YamlTokens {
  readonly tokens: readonly CST.Token[]
  /** Knows the lines, up to where it is nested too deeply if it is. */
  readonly lineCounter: LineCounter
  readonly tooDeep: TooDeepPlace | undefined
}

/**
 * Returns the tokens of YAML. What is nested in more than a hundred levels must not be given to the composer: it recurses, and
 * V8 ends the process if a regular expression has to be compiled where the stack ends.
 */
export function readTokens(text: string): YamlTokens {
  const lineCounter = new LineCounter()
  lineCounter.addNewLine(0)
  const parser = new Parser(lineCounter.addNewLine)
  const tokens: CST.Token[] = []
  for (const lexeme of new Lexer().lex(text)) {
    // what is complete leaves the stack
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > MAX_DEPTH)
      return { tokens, lineCounter, tooDeep: { offset: parser.offset, lineCounter } }
  }
  tokens.push(...parser.end())
  return { tokens, lineCounter, tooDeep: undefined }
}

/** Returns where YAML is nested in more than a hundred levels; undefined if it is not. */
export function findTooDeep(text: string): TooDeepPlace | undefined {
  return readTokens(text).tooDeep
}
