/** Returns a number and its noun, as in `1 grant` and `2 grants`. Does not know irregular plurals. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
