import type { ErrorObject } from 'ajv'
import { distinct } from '../lib/maps.ts'
import { validate as isOfSchema } from './fast-validator.ts'
import { type Problem, pathText, type Segments } from './problems.ts'

export interface SchemaProblem extends Problem {
  readonly segments: Segments
  /** Whether the part that contains it cannot be checked any further. An unknown key does not prevent that. */
  readonly isBreaking: boolean
}

/** Returns everything that the schema does not allow in a value; empty for a `ConfigFile`. Messages never quote values. */
export async function findSchemaProblems(value: unknown): Promise<SchemaProblem[]> {
  if (isOfSchema(value)) return []
  // larger than the fast one, so loaded only for a value that has problems
  const { validate } = await import('./validator.ts')
  validate(value)
  return relevantErrors(validate.errors ?? []).map(error => {
    const segments = [...segmentsOf(error.instancePath, value), ...namesBelow(error)]
    return { segments, path: pathText(segments), message: explain(error), isBreaking: !isUnknownKey(error) }
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

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** The keywords of JSON Schema that the configuration's schema uses and messages are made of. */
interface Shape {
  readonly type?: string
  readonly description?: string
  readonly properties?: object
  readonly anyOf?: readonly Shape[]
  readonly minimum?: number
  readonly maximum?: number
}

function shapeOf(schema: object | undefined): Shape {
  return schema ?? {}
}

/** Returns what is wrong and what to write, to be read after a path. Never quotes a value. */
function explain({ keyword, params, parentSchema, data, instancePath }: ErrorObject): string {
  const shape = shapeOf(parentSchema)
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      if (shape.properties) return `unknown key; known here: ${Object.keys(shape.properties).join(', ')}`
      return `is not a valid name (${shape.description})`
    case 'type':
    case 'anyOf': {
      const types = keyword === 'type' ? [shape.type] : (shape.anyOf ?? []).map(({ type }) => type)
      return explainType(types, { data, isRoot: instancePath === '' })
    }
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty'
    case 'maxItems':
      return `must not have more than ${params.limit} elements`
    case 'minimum':
    case 'maximum':
      return `must be from ${shape.minimum} to ${shape.maximum}`
    default:
      return `has the wrong format (${shape.description})`
  }
}

const TYPE_TEXT: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping of names to values',
  array: 'a list, as in [a, b]',
}

function explainType(
  types: readonly (string | undefined)[],
  { data, isRoot }: { data: unknown; isRoot: boolean },
): string {
  const texts = distinct(types.map(type => TYPE_TEXT[type ?? ''] ?? type))
  const choice = texts.length > 1 ? `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}` : texts.join()
  if (isRoot) return `the file ${data === null ? 'is empty; it ' : ''}must contain ${choice}`
  if (data === null) return `is empty; it must be ${choice}`
  const isUnquoted = types.includes('string') && (typeof data === 'number' || typeof data === 'boolean')
  return isUnquoted ? 'must be text: put it in quotes' : `must be ${choice}`
}

function isUnknownKey({ keyword, parentSchema }: ErrorObject): boolean {
  return keyword === 'additionalProperties' && parentSchema !== undefined && 'properties' in parentSchema
}

/** Returns the name that is unknown or missing in the value which the error is about, for the end of its path. */
function namesBelow({ keyword, params }: ErrorObject): string[] {
  if (keyword === 'additionalProperties') return [String(params.additionalProperty)]
  return keyword === 'required' ? [String(params.missingProperty)] : []
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
