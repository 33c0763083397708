/** Returns text cut to at most `length` UTF-16 units, the last one an ellipsis. Never cuts a surrogate pair in two. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/**
 * Returns text escaped for one line of a log or terminal: control characters, line breaks and characters that change the
 * direction of writing become `\n` or `\u....`. Text that callers choose could otherwise forge a line or hide what follows.
 */
export function escapeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, char => char.split('').map(escapeUnit).join(''))
}

/** Returns a number and its noun, as in `1 grant` and `2 grants`. Does not know irregular plurals. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
