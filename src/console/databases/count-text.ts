/** Returns a number with its noun: `1 token`, `2,000 tokens`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
