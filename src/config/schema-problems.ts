import type { ErrorObject } from 'ajv'
import { explainError, worthTelling } from './explain-error.ts'
import { validate as isOfSchema } from './fast-validator.ts'
import { type Problem, pathText, type Segments } from './problems.ts'

export interface SchemaProblem extends Problem {
  readonly segments: Segments
  /** Whether it makes the part that it lies in unfit to look at; an unknown key does not. */
  readonly breaks: boolean
}

/** Everything in which `value` is not of the schema; nothing where it is a `ConfigFile`. Values are never quoted. */
export async function schemaProblems(value: unknown): Promise<SchemaProblem[]> {
  if (isOfSchema(value)) return []
  const { validate } = await import('./validator.ts')
  validate(value)
  return worthTelling(validate.errors ?? []).map(error => {
    const segments = [...segmentsOf(error.instancePath, value), ...below(error)]
    return { segments, path: pathText(segments), message: explainError(error), breaks: !isUnknownKey(error) }
  })
}

function isUnknownKey({ keyword, parentSchema }: ErrorObject): boolean {
  return keyword === 'additionalProperties' && parentSchema !== undefined && 'properties' in parentSchema
}

/** What is wrong is a name in the value that was looked at, one too many or one that lacks. */
function below({ keyword, params }: ErrorObject): string[] {
  if (keyword === 'additionalProperties') return [String(params.additionalProperty)]
  return keyword === 'required' ? [String(params.missingProperty)] : []
}

/** A JSON Pointer (RFC 6901) as the names and positions that it goes by in this value. */
function segmentsOf(pointer: string, root: unknown): Segments {
  const segments: (string | number)[] = []
  let at = root
  for (const raw of pointer.split('/').slice(1)) {
    const name = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    segments.push(Array.isArray(at) ? Number(name) : name)
    at = (at as Record<string, unknown>)[name]
  }
  return segments
}
