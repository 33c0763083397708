import type { ErrorObject } from 'ajv'
import { validate as isOfSchema } from './fast-validator.ts'
import { configPathText, type Problem, type Segments } from './problems.ts'
import { emptyParent, isUnknownKey, meantKey, messageFor, shapeOf } from './schema-messages.ts'

export interface SchemaProblem extends Problem {
  readonly segments: Segments
  /** Whether the part that contains it cannot be checked any further. An unknown key does not prevent that. */
  readonly isBreaking: boolean
  readonly isMissingKey: boolean
  /** The known key that an unknown one most likely means, in the same mapping. */
  readonly meantKey?: string | undefined
  /** The key beside an unknown one that is empty and that it belongs under. */
  readonly emptyParent?: string | undefined
}

/** Returns everything that the schema does not allow in a value; empty for a `ConfigFile`. Messages never quote values. */
export async function findSchemaProblems(value: unknown): Promise<SchemaProblem[]> {
  if (isOfSchema(value)) return []
  // larger than the fast one, so loaded only for a value that has problems
  const { validate } = await import('./validator.ts')
  validate(value)
  return relevantErrors(validate.errors ?? []).map(error => {
    const segments = [...segmentsOf(error.instancePath, value), ...namesBelow(error)]
    return {
      segments,
      path: configPathText(segments),
      message: messageFor(error),
      isBreaking: !isUnknownKey(error),
      isMissingKey: error.keyword === 'required',
      isAboutKey: error.keyword === 'additionalProperties',
      meantKey: meantKey(error),
      emptyParent: emptyParent(error),
    }
  })
}

/**
 * Drops the errors about forms that were not meant. If a value fits none of several forms (`anyOf`), ajv reports why it
 * fails each form, then that it fits none. People mean the form of their value's own type: only its errors are kept, or
 * only the last error if no form has that type. For `sha256: [9f86…, 7]`, which may be text or a list of texts, ajv reports
 *
 *     instancePath   schemaPath (its end)         message          here
 *     …/sha256       …/sha256/anyOf/0/type        must be string   dropped: form 0 is text, the value a list
 *     …/sha256/1     …/sha256/anyOf/1/items/type  must be string   kept: form 1 is a list
 *     …/sha256       …/sha256/anyOf               must match …     dropped: a form has the value's type
 */
function relevantErrors(errors: readonly ErrorObject[]): ErrorObject[] {
  const relevant: ErrorObject[] = []
  for (const error of errors) {
    if (error.keyword === 'anyOf') replaceFormErrors(relevant, error)
    else relevant.push(error)
  }
  return relevant
}

/** Replaces the last errors, which are about the forms of `anyOfError`, with those to be kept. */
function replaceFormErrors(errors: ErrorObject[], anyOfError: ErrorObject): void {
  const lastOther = errors.findLastIndex(error => !isAboutForms(error, anyOfError))
  const formErrors = errors.splice(lastOther + 1)
  const position = formOfSameType(anyOfError)
  const form = `${anyOfError.schemaPath}/${position}/`
  const kept =
    position < 0 ? [anyOfError] : formErrors.filter(({ schemaPath }) => schemaPath.startsWith(form))
  // one by one: there may be more of them than a call can have arguments
  for (const error of kept) errors.push(error)
}

function isAboutForms({ schemaPath, instancePath }: ErrorObject, anyOfError: ErrorObject): boolean {
  const isSameValue =
    instancePath === anyOfError.instancePath || instancePath.startsWith(`${anyOfError.instancePath}/`)
  return isSameValue && schemaPath.startsWith(`${anyOfError.schemaPath}/`)
}

/** Returns the position of the form that has the type of the value; -1 if none has. */
function formOfSameType({ parentSchema, data }: ErrorObject): number {
  return shapeOf(parentSchema).anyOf?.findIndex(({ type }) => type === typeOf(data)) ?? -1
}

/** Returns the names and positions that a JSON Pointer (RFC 6901) goes through in a value. */
function segmentsOf(pointer: string, root: unknown): Segments {
  const segments: (string | number)[] = []
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    segments.push(Array.isArray(value) ? Number(name) : name)
    value = (value as Record<string, unknown>)[name]
  }
  return segments
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Returns the name that is unknown or missing in the value which the error is about, for the end of its path. */
function namesBelow({ keyword, params }: ErrorObject): string[] {
  if (keyword === 'additionalProperties') return [String(params.additionalProperty)]
  return keyword === 'required' ? [String(params.missingProperty)] : []
}
