/** A Map, a WeakMap or an LRU cache. */
interface MapLike<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): unknown
}

/** Returns the value of a key; if there is none, creates one and keeps it. Values must not be null or undefined. */
export function getOrCreate<K, V>(map: MapLike<K, V>, { key, create }: { key: K; create: () => V }): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}

/** Returns what `Map.groupBy` does, which Node 20 lacks: groups and their members keep the order of `values`. */
export function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const value of values) addToGroup(groups, { key: keyOf(value), value })
  return groups
}

/** Adds a value to the list of its key, which it creates if there is none. A list of one value takes no more room than that. */
export function addToGroup<K, V>(groups: Map<K, V[]>, { key, value }: { key: K; value: V }): void {
  const group = groups.get(key)
  if (group) group.push(value)
  else groups.set(key, [value])
}

/** Returns each value once, in order. Values are the same if `keyOf` returns the same for them, or, by default, if equal. */
export function distinct<T>(values: readonly T[], keyOf: (value: T) => unknown = value => value): T[] {
  return [...new Map(values.map(value => [keyOf(value), value])).values()]
}
