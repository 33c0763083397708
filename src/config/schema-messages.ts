import type { ErrorObject } from 'ajv'
import { distinct } from '../lib/maps.ts'
import { findNearSpelling } from '../lib/near-spelling.ts'
import { didYouMean, nameIn } from './problems.ts'

/** The keywords of JSON Schema that the configuration's schema uses and messages are made of. */
interface Shape {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly anyOf?: readonly Shape[]
  readonly minimum?: number
  readonly maximum?: number
}

export function shapeOf(schema: object | undefined): Shape {
  return schema ?? {}
}

/** Returns what is wrong and what to write, to be read after a path. Never quotes a value. */
export function messageFor(error: ErrorObject): string {
  const { keyword, params, parentSchema, data, instancePath } = error
  const shape = shapeOf(parentSchema)
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      if (!shape.properties) return `is not a valid name (${shape.description})`
      return unknownKeyText(String(params.additionalProperty), {
        known: Object.keys(shape.properties),
        meant: meantKey(error),
      })
    case 'type':
    case 'anyOf': {
      const types = keyword === 'type' ? [shape.type] : (shape.anyOf ?? []).map(({ type }) => type)
      return explainType(types, { data, isRoot: instancePath === '' })
    }
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String)
      const near = typeof data === 'string' ? findNearSpelling(data, allowed) : undefined
      return `must be one of ${allowed.join(', ')}${didYouMean(near)}`
    }
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

function unknownKeyText(
  key: string,
  { known, meant }: { known: readonly string[]; meant: string | undefined },
): string {
  const names = known.join(', ')
  if (meant !== undefined && key !== meant && nameIn(key) === meant)
    return `unknown key: write ${meant}: VALUE, with a colon and a space`
  if (meant === undefined) return `unknown key; known here: ${names}`
  return `unknown key${didYouMean(meant)} Known here: ${names}`
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
  if (types.includes('array') && typeof data === 'string' && /^-\S/.test(data))
    return `must be ${choice}: a space is missing after the -`
  if (typeof data === 'string' && isQuotedNumber(data, types)) return `must be ${choice}, without quotes`
  return isUnquoted ? 'must be text: put it in quotes' : `must be ${choice}`
}

function isQuotedNumber(text: string, types: readonly (string | undefined)[]): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text) && types.some(type => type === 'integer' || type === 'number')
}

export function isUnknownKey({ keyword, parentSchema }: ErrorObject): boolean {
  return keyword === 'additionalProperties' && parentSchema !== undefined && 'properties' in parentSchema
}

/** Returns the key that an unknown one most likely means: one that the mapping does not have yet. */
export function meantKey(error: ErrorObject): string | undefined {
  const { params, parentSchema, data } = error
  const known = isUnknownKey(error) ? Object.keys(shapeOf(parentSchema).properties ?? {}) : []
  const missing = known.filter(key => !Object.hasOwn(data as object, key))
  const key = String(params.additionalProperty)
  const name = nameIn(key)
  return missing.includes(name) ? name : findNearSpelling(key, missing)
}

/** Returns the key whose mapping an unknown one was meant to be in: what was to be indented stands beside it. */
export function emptyParent(error: ErrorObject): string | undefined {
  const { params, parentSchema, data } = error
  if (!isUnknownKey(error)) return undefined
  const known = Object.entries(shapeOf(parentSchema).properties ?? {})
  const isEmpty = (key: string) => (data as Record<string, unknown>)[key] === null
  return known.find(
    ([key, { properties = {} }]) =>
      isEmpty(key) && Object.hasOwn(properties, String(params.additionalProperty)),
  )?.[0]
}
