/**
 * Freezes a value with all plain objects and lists in it, and returns it: whoever then writes into any of them throws. Other
 * objects in it, such as a KeyObject, stay as they are. Does not recurse, so that no depth overflows the stack.
 */
export function freezeDeep<T>(value: T): T {
  const unfrozen: unknown[] = [value]
  while (unfrozen.length > 0) {
    const next = unfrozen.pop()
    if (!isPlain(next) || Object.isFrozen(next)) continue
    Object.freeze(next)
    for (const member of Object.values(next)) unfrozen.push(member)
  }
  return value
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}
