import { html, type SafeHtml } from '@remix-run/html-template'
import { timeAt } from './time.ts'

/** Older numbers look stale. */
const FRESH_MS = 15_000

export interface SourceNote {
  /** Whose number it is, such as `this instance` or `the fleet's record`. */
  readonly source: string
  /** When it was known, in milliseconds; undefined if it is not known at all. */
  readonly at: number | undefined
  readonly now: number
  /** From which age on it looks stale, in milliseconds; default 15 s. */
  readonly freshMs?: number
}

/** Returns where a number comes from and how old it is. */
export function sourceNote({ source, at, now, freshMs = FRESH_MS }: SourceNote): SafeHtml {
  if (at === undefined) return html`<span class="source stale">${source}: not read yet</span>`
  const isStale = now - at > freshMs
  return html`<span class="source${isStale ? ' stale' : ''}">${source}, ${timeAt(at, now)}${isStale ? ' (old)' : ''}</span>`
}
