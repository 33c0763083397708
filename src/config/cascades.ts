import { isJsonObject } from '../lib/json.ts'
import { configPathText, namesText, type Problem, type Segments } from './problems.ts'
import type { SchemaProblem } from './schema-problems.ts'

interface Cascade {
  /** What follows from one mistake, by its path or a beginning of it. */
  readonly paths: readonly Segments[]
  /** What is said instead; undefined if a problem that stays says it. */
  readonly cause?: Problem
}

/**
 * Returns the problems without those that follow from another: of a misspelled key, that the right one is missing; of keys
 * at the wrong depth, that each is unknown in one place and missing in the other. One mistake is one message.
 */
export function mergeCascades(
  problems: readonly Problem[],
  { schemaProblems, value }: { schemaProblems: readonly SchemaProblem[]; value: unknown },
): Problem[] {
  const cascades = [
    ...misspelledKeys(schemaProblems),
    ...keysTooHigh(schemaProblems),
    ...keysTooDeep(schemaProblems, value),
  ]
  const consequences = new Set(cascades.flatMap(({ paths }) => paths.map(keyOf)))
  const isConsequence = ({ segments = [] }: Problem) =>
    segments.some((_, i) => consequences.has(keyOf(segments.slice(0, i + 1))))
  const causes = cascades.flatMap(({ cause }) => (cause ? [cause] : []))
  return [...causes, ...problems.filter(problem => !isConsequence(problem))]
}

function misspelledKeys(problems: readonly SchemaProblem[]): Cascade[] {
  return problems.flatMap(({ segments, meantKey }) =>
    meantKey === undefined ? [] : [{ paths: [[...segments.slice(0, -1), meantKey]] }],
  )
}

/** Keys beside one that is empty and that they belong under: they were not indented. */
function keysTooHigh(problems: readonly SchemaProblem[]): Cascade[] {
  const parents = new Map<string, { parent: Segments; keys: Segments[] }>()
  for (const { segments, emptyParent } of problems) {
    if (emptyParent === undefined) continue
    const parent = [...segments.slice(0, -1), emptyParent]
    const { keys } = parents.get(keyOf(parent)) ?? { keys: [] }
    parents.set(keyOf(parent), { parent, keys: [...keys, segments] })
  }
  return [...parents.values()].map(({ parent, keys }) => {
    const message = `is empty: indent what belongs to it (${namesText(keys.map(lastName))}) more than this key`
    return { paths: [parent, ...keys], cause: { path: configPathText(parent), message, segments: parent } }
  })
}

/** Keys that are missing in a mapping and stand in one further down, where they mean nothing: they were indented too far. */
function keysTooDeep(problems: readonly SchemaProblem[], value: unknown): Cascade[] {
  const siblings = new Map<string, { sibling: Segments; keys: Segments[] }>()
  for (const { segments, isMissingKey } of problems) {
    const sibling = isMissingKey ? findSiblingWith(segments, { problems, value }) : undefined
    if (sibling === undefined) continue
    const { keys } = siblings.get(keyOf(sibling)) ?? { keys: [] }
    siblings.set(keyOf(sibling), { sibling, keys: [...keys, segments] })
  }
  return [...siblings.values()].map(({ sibling, keys }) => {
    const stray = keys.map(key => [...sibling, lastName(key)])
    const message = `too much is indented below it: ${namesText(keys.map(lastName))} must stand beside it, not below`
    return {
      paths: [...keys, ...stray],
      cause: { path: configPathText(sibling), message, segments: sibling, isAboutKey: true },
    }
  })
}

/** Returns the mapping beside a missing key that has that key, with something wrong in it. */
function findSiblingWith(
  missing: Segments,
  { problems, value }: { problems: readonly SchemaProblem[]; value: unknown },
): Segments | undefined {
  const parent = missing.slice(0, -1)
  const name = lastName(missing)
  const mapping = parent.reduce<unknown>((inner, segment) => memberOf(inner, segment), value)
  const siblings = isJsonObject(mapping) ? Object.entries(mapping) : []
  const found = siblings.find(
    ([key, sibling]) =>
      memberOf(sibling, name) !== undefined &&
      problems.some(({ segments }) => startsWith(segments, [...parent, key, name])),
  )
  return found && [...parent, found[0]]
}

function memberOf(value: unknown, segment: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
  return (value as Record<string | number, unknown>)[segment]
}

function startsWith(path: Segments, beginning: Segments): boolean {
  return beginning.every((segment, i) => path[i] === segment)
}

function lastName(path: Segments): string {
  return String(path.at(-1))
}

function keyOf(segments: Segments): string {
  return JSON.stringify(segments)
}
