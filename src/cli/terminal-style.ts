import { styleText } from 'node:util'
import type { TextOutput } from './streams.ts'

/** Marks and colours for a terminal; in a pipe, none of them. The words beside them say the same. */
export interface TerminalStyle {
  /** `✓ ` or `✗ `, in green or red. */
  mark(isGood: boolean): string
  good(text: string): string
  bad(text: string): string
  dim(text: string): string
  bold(text: string): string
}

/** Returns the style for a stream. The texts must be printable already: nothing is escaped. */
export function terminalStyle(stream: TextOutput): TerminalStyle {
  const isTerminal = stream.isTTY === true
  const hasColors = isTerminal && stream.hasColors?.() === true
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    hasColors ? styleText(style, text, { validateStream: false }) : text
  const good = paint('green')
  const bad = paint('red')
  return {
    mark: isGood => (isTerminal ? `${isGood ? good('✓') : bad('✗')} ` : ''),
    good,
    bad,
    dim: paint('dim'),
    bold: paint('bold'),
  }
}
