import { addToGroup, getOrCreate } from '../lib/maps.ts'

/** What one of several patterns must match, and where it is looked for. */
export interface PatternCondition {
  readonly path: readonly string[]
  readonly patterns: readonly string[]
}

/** Items by one of the conditions that each of them has. */
export interface PatternIndex<T> {
  /**
   * Returns each item all of whose conditions may hold where these texts are: none is missed whose conditions do hold, and
   * others may be among them. In no order, each once. `textsAt` is asked once for each path that an item is filed under.
   */
  candidates(textsAt: (path: readonly string[]) => readonly string[]): readonly T[]
}

/** What is filed under one path. */
interface PathIndex<T> {
  readonly path: readonly string[]
  /** How many conditions of this path have each label. */
  readonly sharers: Map<string, number>
  readonly itemsByLabel: Map<string, T[]>
  /** How long the labels of patterns with a wildcard are, without the star. */
  readonly lengths: Set<number>
}

/**
 * Files each item under the condition that it shares with the fewest others, so that a search looks at few, however many there
 * are. Those without any condition are found by every search. A condition without a pattern never holds.
 */
export function indexByPattern<T>(
  items: readonly T[],
  conditionsOf: (item: T) => readonly PatternCondition[],
): PatternIndex<T> {
  const byPath = new Map<string, PathIndex<T>>()
  const filingOf = ({ path, patterns }: PatternCondition): Filing<T> => ({
    index: getOrCreate(byPath, { key: JSON.stringify(path), create: () => createPathIndex(path) }),
    labels: labelsOf(patterns),
  })
  const choices = items.map(item => ({ item, filings: conditionsOf(item).map(filingOf) }))
  for (const { filings } of choices) filings.forEach(countSharers)
  const unfiled: T[] = []
  for (const { item, filings } of choices) {
    const least = leastShared(filings)
    if (least === undefined) unfiled.push(item)
    else file(item, least)
  }
  const filed = [...byPath.values()].filter(({ itemsByLabel }) => itemsByLabel.size > 0)
  for (const { sharers } of filed) sharers.clear()
  return {
    candidates(textsAt) {
      const found = [unfiled]
      for (const index of filed) for (const text of textsAt(index.path)) found.push(...itemsAt(index, text))
      const [only, ...others] = found.filter(list => list.length > 0)
      // mostly there is one list, which has no item twice
      return others.length === 0 ? (only ?? []) : [...new Set(found.flat())]
    },
  }
}

function createPathIndex<T>(path: readonly string[]): PathIndex<T> {
  return { path, sharers: new Map(), itemsByLabel: new Map(), lengths: new Set() }
}

/** One condition of an item, under which it may be filed. */
interface Filing<T> {
  readonly index: PathIndex<T>
  readonly labels: readonly string[]
}

/** Returns each pattern up to its first star, which every text begins with that it matches; all of it if it has none. */
function labelsOf(patterns: readonly string[]): readonly string[] {
  return [...new Set(patterns.map(labelOf))]
}

function labelOf(pattern: string): string {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern : pattern.slice(0, star + 1)
}

function isBeginning(label: string): boolean {
  return label.endsWith('*')
}

function countSharers<T>({ index: { sharers }, labels }: Filing<T>): void {
  for (const label of labels) sharers.set(label, (sharers.get(label) ?? 0) + 1)
}

/** Of several, the first; of these, rather one without a wildcard, because more texts begin with a label than are one. */
function leastShared<T>(filings: readonly Filing<T>[]): Filing<T> | undefined {
  const [only, another] = filings
  if (!another) return only
  let least: Filing<T> | undefined
  let leastCost = Number.POSITIVE_INFINITY
  for (const filing of filings) {
    const cost = costOf(filing)
    if (cost < leastCost) [least, leastCost] = [filing, cost]
  }
  return least
}

function costOf<T>({ index: { sharers }, labels }: Filing<T>): number {
  const shared = labels.reduce((most, label) => Math.max(most, sharers.get(label) ?? 0), 0)
  return shared + (labels.some(isBeginning) ? 0.5 : 0)
}

function file<T>(item: T, { index: { itemsByLabel, lengths }, labels }: Filing<T>): void {
  for (const label of labels) {
    addToGroup(itemsByLabel, { key: label, value: item })
    if (isBeginning(label)) lengths.add(label.length - 1)
  }
}

function itemsAt<T>({ itemsByLabel, lengths }: PathIndex<T>, text: string): T[][] {
  const beginnings = [...lengths].filter(length => length <= text.length).map(length => text.slice(0, length))
  return [text, ...beginnings.map(beginning => `${beginning}*`)].map(label => itemsByLabel.get(label) ?? [])
}
