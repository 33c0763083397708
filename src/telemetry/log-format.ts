import { createReadableLine } from './readable-line.ts'

/** Functions of `lib/printable.ts`, which is above this floor: lines quote what callers send. */
export interface Escapes {
  /** Escapes what a line of JSON must not show. */
  escapeJson: (json: string) => string
  /** Escapes what any other line must not show. */
  escapeUnprintable: (text: string) => string
}

export interface LogFormatOptions extends Escapes {
  /** `JETON_LOG_FORMAT`: `json` or `text`; by default text on a terminal, else JSON. */
  choice: string | undefined
  stderr: { readonly isTTY?: boolean; hasColors?(): boolean }
}

/** Makes of a line of JSON what is written. */
export type RenderLine = (json: string) => string

/** Returns how the program's log is written. Throws an Error with a message for operators if the choice is unknown. */
export function logFormat({ choice, stderr, escapeJson, escapeUnprintable }: LogFormatOptions): RenderLine {
  const isTerminal = stderr.isTTY === true
  const name = choice || (isTerminal ? 'text' : 'json')
  if (name === 'json') return escapeJson
  if (name !== 'text') throw new Error('JETON_LOG_FORMAT takes json or text')
  // NO_COLOR, FORCE_COLOR and TERM=dumb count
  const hasColors = isTerminal && stderr.hasColors?.() === true
  return createReadableLine({ escapeUnprintable, hasColors })
}
