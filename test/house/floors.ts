import { importsOf } from './imports.ts'
import { isCode, type SourceFile } from './source-files.ts'

/** From the top of the house to its ground: a file imports from its own place and from lower floors. */
export const FLOORS: readonly (readonly string[])[] = [
  ['handlers', 'infra'],
  ['src/lambda', 'src/dev', 'src/action'],
  ['src/service.ts'],
  ['src/http', 'src/console', 'src/cli'],
  ['src/vending', 'src/iam', 'src/client'],
  ['src/tokens'],
  ['src/audit', 'src/store'],
  ['src/config'],
  ['src/authorization'],
  ['src/authentication', 'src/rds', 'src/aws'],
  ['src/lib'],
  ['src/telemetry', 'src/errors.ts'],
]

/** Imports that lead up, sideways to another place of the same floor, or to or from a place that no floor has. */
export function floorProblems(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path))
  return files.flatMap(file => {
    if (!placeOf(file.path)) return `${file.path} is on no floor: move it, or add its folder to FLOORS`
    return importsOf(file).flatMap(({ path, specifier }) => {
      if (specifier === undefined) return `${file.path} works out at run time what it imports: write it down`
      // data, such as package.json; or a file that is reported for itself
      if (!path || !isCode(path) || (!placeOf(path) && paths.has(path))) return []
      return importProblem(file.path, path)
    })
  })
}

/** The file or folder of FLOORS that a path belongs to. */
export function placeOf(path: string): string | undefined {
  return FLOORS.flat().find(place => path === place || path.startsWith(`${place}/`))
}

function importProblem(from: string, to: string): string[] {
  const imports = `${from} imports ${to}`
  const [place, target] = [placeOf(from), placeOf(to)]
  if (!target) return [`${imports}, which is on no floor`]
  if (place === target) return []
  const [floor, targetFloor] = [floorOf(place), floorOf(target)]
  if (targetFloor < floor) return [`${imports}, which is on a floor above it: imports run down`]
  if (targetFloor > floor) return []
  return [`${imports}, which is beside it: the places of one floor (${FLOORS[floor]?.join(', ')}) stay apart`]
}

function floorOf(place: string | undefined): number {
  return FLOORS.findIndex(places => places.some(one => one === place))
}
