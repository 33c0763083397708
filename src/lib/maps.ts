/** A Map, a WeakMap or an LRU cache. */
interface MapLike<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): unknown
}

/** Returns the value of a key, creating and keeping one when there is none. Values must not be null or undefined. */
export function getOrCreate<K, V>(map: MapLike<K, V>, { key, create }: { key: K; create: () => V }): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}

/** As `Map.groupBy`, which Node 20 lacks: groups and their members keep the order of `values`. */
export function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const value of values) getOrCreate(groups, { key: keyOf(value), create: () => [] as V[] }).push(value)
  return groups
}
