import type { ErrorObject } from 'ajv'

/** The words of JSON Schema that the configuration's schema uses. */
interface Shape {
  readonly type?: string
  readonly description?: string
  readonly properties?: object
  readonly anyOf?: readonly Shape[]
  readonly minimum?: number
  readonly maximum?: number
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping of names to values',
  array: 'a list, as in [a, b]',
}

/**
 * Of all errors, those worth telling: of a value that fits none of several forms (`anyOf`), only what keeps it from the form
 * of its own type, and the fork itself where there is no such form.
 */
export function worthTelling(errors: readonly ErrorObject[]): ErrorObject[] {
  const forks = new Map(
    errors.filter(({ keyword }) => keyword === 'anyOf').map(fork => [placeOf(fork), formOf(fork)]),
  )
  return errors.filter(error => {
    if (error.keyword === 'anyOf' && formOf(error) >= 0) return false
    const forksAbove = [...error.schemaPath.matchAll(/\/anyOf(?=\/(\d+)\/)/g)]
    return forksAbove.every(({ index, 0: word, 1: form }) => {
      const schemaPath = error.schemaPath.slice(0, index + word.length)
      const forkForms = prefixesOf(error.instancePath).map(at =>
        forks.get(placeOf({ schemaPath, instancePath: at })),
      )
      return forkForms.every(wanted => wanted === undefined || wanted === Number(form))
    })
  })
}

function placeOf({ schemaPath, instancePath }: Pick<ErrorObject, 'schemaPath' | 'instancePath'>): string {
  return `${schemaPath} ${instancePath}`
}

/** `/a/b` lies in itself, in `/a` and in the whole. */
function prefixesOf(pointer: string): string[] {
  const parts = pointer.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** The position of the form that has the value's own type; -1 where none has. */
function formOf({ parentSchema, data }: ErrorObject): number {
  return shapeOf(parentSchema).anyOf?.findIndex(({ type }) => type === typeOf(data)) ?? -1
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** What is wrong and what to write, in words that fit behind a path. Quotes no value. */
export function explainError({ keyword, params, parentSchema, data, instancePath }: ErrorObject): string {
  const shape = shapeOf(parentSchema)
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      if (shape.properties) return `unknown key; known here: ${Object.keys(shape.properties).join(', ')}`
      return `is no name to be used here (${shape.description})`
    case 'type':
    case 'anyOf': {
      const wanted = keyword === 'type' ? [shape.type] : (shape.anyOf ?? []).map(({ type }) => type)
      return wrongType(wanted, { data, isRoot: instancePath === '' })
    }
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty'
    case 'maxItems':
      return `must not have more than ${params.limit}`
    case 'minimum':
    case 'maximum':
      return `must be from ${shape.minimum} to ${shape.maximum}`
    case 'exclusiveMinimum':
      return `must be more than ${params.limit}`
    default:
      return `is not of the form it needs (${shape.description})`
  }
}

function wrongType(
  wanted: readonly (string | undefined)[],
  { data, isRoot }: { data: unknown; isRoot: boolean },
): string {
  const words = [...new Set(wanted.map(type => TYPES[type ?? ''] ?? type))]
  const list = words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : words.join()
  if (isRoot) return `the file ${data === null ? 'is empty; it ' : ''}must hold ${list}`
  if (data === null) return `is empty; it must be ${list}`
  const isUnquoted = wanted.includes('string') && (typeof data === 'number' || typeof data === 'boolean')
  return isUnquoted ? 'must be text: put it in quotes' : `must be ${list}`
}

function shapeOf(schema: object | undefined): Shape {
  return schema ?? {}
}
