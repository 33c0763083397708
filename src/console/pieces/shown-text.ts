import { html, type SafeHtml } from '@remix-run/html-template'
import { escapeUnprintable, printableJson, shorten } from '../../lib/printable.ts'

/**
 * Returns a value of a record as people may read it: of any type, for nobody has checked it, and with all that is invisible or
 * changes the direction of writing escaped. An empty text for nothing.
 */
export function plainText(value: unknown): string {
  if (value === undefined || value === null) return ''
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? escapeUnprintable(String(value)) : printableJson(value)
}

/** Returns the same as an element of its own, so that no text next to it is put into another order; cut if a length is given. */
export function shownText(value: unknown, maxLength = Number.POSITIVE_INFINITY): SafeHtml {
  return html`<bdi>${shorten(plainText(value), maxLength)}</bdi>`
}
