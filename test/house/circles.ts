import { importsOf } from './imports.ts'
import type { SourceFile } from './source-files.ts'

/** For each file that leads back to itself, the shortest way round; types count. */
export function circleProblems(files: readonly SourceFile[]): string[] {
  const imported = new Map(files.map(file => [file.path, importsOf(file).flatMap(({ path }) => path ?? [])]))
  const circles = files.flatMap(({ path }) => {
    const circle = shortestCircle(path, imported)
    return circle ? [fromSmallest(circle)] : []
  })
  const problems = circles.map(
    circle => `${[...circle, circle[0]].join(' → ')} is a circle: move what they share below both`,
  )
  return [...new Set(problems)].sort()
}

/** The files from `start` to the one that imports `start` again, found breadth first; undefined if there are none. */
function shortestCircle(
  start: string,
  imported: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const seen = new Set<string>()
  const ways = [[start]]
  for (const way of ways) {
    for (const next of imported.get(way.at(-1) ?? start) ?? []) {
      if (next === start) return way
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}

/** The same circle, begun at the path that sorts first, so that it is reported once, whoever finds it. */
function fromSmallest(circle: readonly string[]): string[] {
  const first = circle.indexOf([...circle].sort()[0] ?? '')
  return [...circle.slice(first), ...circle.slice(0, first)]
}
