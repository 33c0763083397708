import { FLOORS } from './floors.ts'
import { firstCodeBlock, sectionOf } from './markdown.ts'
import type { SourceFile } from './source-files.ts'

/**
 * Where the block under "Floors" of the design differs from FLOORS. A line is a floor, from the top down: its places without
 * `src/`, with ` · ` in between.
 */
export function floorsBlockProblems(design: SourceFile): string[] {
  const lines = firstCodeBlock(sectionOf(design.text, 'Floors') ?? [])
  if (!lines) return [`${design.path} has no code block under "### Floors"`]
  const written = lines.map(line => line.trim()).filter(line => line !== '')
  const wanted = FLOORS.map(places => places.map(place => place.replace('src/', '')).join(' · '))
  return [
    ...wanted
      .filter(floor => !written.includes(floor))
      .map(floor => `${design.path} lacks the floor "${floor}"`),
    ...written
      .filter(floor => !wanted.includes(floor))
      .map(floor => `${design.path} has the floor "${floor}", which FLOORS does not have`),
    ...(isSameSet(written, wanted) && written.join() !== wanted.join()
      ? [`${design.path} has the floors in another order than FLOORS`]
      : []),
  ]
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join() === [...other].sort().join()
}
