import { isJsonObject } from '../lib/json.ts'
import { NAME_PATTERN } from './config.ts'
import { limitProblems, type Problem, type Segments } from './problems.ts'

export interface ConfigText {
  /** The path or the `s3://` URL that it was read from. */
  readonly file: string
  readonly text: string
}

export interface PlacedText extends ConfigText {
  /** What the text was parsed to. */
  readonly value: unknown
  /** Whether lines and columns are left out, to find which the YAML parser is loaded. */
  readonly isPathEnough?: boolean
}

/** Returns problems with their places and the names of their grants. Loads nothing if there are none. */
export async function placeProblems(
  problems: readonly Problem[],
  { file, text, value, isPathEnough = false }: PlacedText,
): Promise<Problem[]> {
  if (problems.length === 0) return []
  const findPlace = isPathEnough ? () => ({}) : (await import('./places.ts')).createPlaceFinder(text)
  return limitProblems(problems).map(({ path, message, segments = [], isAboutKey }) => ({
    path,
    ...grantOf(segments, value),
    message,
    file,
    ...findPlace(segments, isAboutKey),
  }))
}

/** Returns nothing for a grant whose name is not one: it may be anything, a secret too. */
function grantOf([section, position]: Segments, value: unknown): { grant?: string } {
  if (section !== 'grants' || typeof position !== 'number' || !isJsonObject(value)) return {}
  const grant: unknown = Array.isArray(value.grants) ? value.grants[position] : undefined
  const name = isJsonObject(grant) ? grant.name : undefined
  return typeof name === 'string' && new RegExp(NAME_PATTERN).test(name) ? { grant: name } : {}
}
