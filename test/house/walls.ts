import { placeOf } from './floors.ts'
import { importsOf } from './imports.ts'
import type { SourceFile } from './source-files.ts'

interface Wall {
  readonly place: string
  /** All that it may import, itself aside. */
  readonly knows: readonly string[]
  /** What it may import types of. */
  readonly knowsTypesOf: readonly string[]
  readonly because: string
}

/** The places that know less than their floor would let them. */
export const WALLS: readonly Wall[] = [
  {
    place: 'src/lib',
    knows: [],
    knowsTypesOf: ['src/telemetry'],
    because: 'lib/ knows nothing of jeton',
  },
  {
    place: 'src/client',
    knows: ['src/lib', 'src/rds', 'src/errors.ts'],
    knowsTypesOf: ['src/telemetry'],
    because: 'client/ runs at callers and knows nothing of the server',
  },
]

/** Imports that go through a wall. What lies on no floor is left to `floorProblems`. */
export function wallProblems(files: readonly SourceFile[]): string[] {
  return WALLS.flatMap(({ place, knows, knowsTypesOf, because }) =>
    files
      .filter(({ path }) => placeOf(path) === place)
      .flatMap(file =>
        importsOf(file).flatMap(({ path, isTypeOnly }) => {
          const target = path === undefined ? undefined : placeOf(path)
          if (target === undefined || target === place || knows.includes(target)) return []
          if (isTypeOnly && knowsTypesOf.includes(target)) return []
          const hint = knowsTypesOf.includes(target) ? ' (a type of it would do)' : ''
          return `${file.path} imports ${path}, but ${because}${hint}`
        }),
      ),
  )
}
