import { findNearSpelling } from '../../lib/near-spelling.ts'
import type { Segments } from '../problems.ts'
import { ConfigSchema } from '../schema.ts'

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
}

const SECRET_KEYS: ReadonlySet<string | number> = new Set(['apiKeys', 'sha256', 'externalId'])
/** Keys of the configuration that somebody may also write where it has none, for a secret. */
const SECRET_WORDS = /key|secret|token|password|credential/i

const SHAPES: ReadonlyMap<string, readonly Shape[]> = shapesByKey(ConfigSchema)

/** Every key of the configuration whose value is no secret where the schema has it. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set(SHAPES.keys())

/**
 * Whether the value at a path may be shown to whoever runs a command: the schema knows the path, or a key that is nearly or
 * elsewhere so, and it is no place of a secret. What stands below another key may be anything.
 */
export function isShownPlace(path: Segments): boolean {
  return !path.some(segment => SECRET_KEYS.has(segment)) && isKnownPlace(path)
}

/** Whether the schema knows a path, secret or not, so that the keys which stand there are no secrets. */
export function isKnownPlace(path: Segments): boolean {
  let shapes: readonly Shape[] = [ConfigSchema as object]
  for (const segment of path) {
    shapes = shapesBelow(shapes, segment)
    if (shapes.length === 0) return false
  }
  return shapes.length > 0
}

function shapesBelow(shapes: readonly Shape[], segment: string | number): readonly Shape[] {
  const forms = shapes.flatMap(withForms)
  // an element of what should be no list
  if (typeof segment === 'number') return forms.map(({ items, ...form }) => items ?? form)
  const known = forms.flatMap(({ properties = {}, patternProperties = {} }) =>
    Object.hasOwn(properties, segment) ? [properties[segment]] : Object.values(patternProperties),
  )
  const below = known.filter(shape => shape !== undefined)
  if (below.length > 0 || forms.length === 0) return below
  const keys = forms.flatMap(({ properties = {} }) => Object.keys(properties))
  const near = findNearSpelling(segment, keys)
  if (near !== undefined) return SECRET_KEYS.has(near) ? [] : shapesBelow(forms, near)
  return SECRET_WORDS.test(segment) ? [] : (SHAPES.get(segment) ?? [])
}

function withForms(shape: Shape): Shape[] {
  return [shape, ...(shape.anyOf ?? []).flatMap(withForms)]
}

function shapesByKey(root: object): Map<string, Shape[]> {
  const byKey = new Map<string, Shape[]>()
  const add = (shape: Shape) => {
    const { properties = {}, patternProperties = {}, items, anyOf = [] } = shape
    for (const [key, below] of Object.entries(properties))
      if (!SECRET_KEYS.has(key)) byKey.set(key, [...(byKey.get(key) ?? []), below])
    const parts = [...Object.values(properties), ...Object.values(patternProperties), ...anyOf]
    for (const part of items ? [...parts, items] : parts) add(part)
  }
  add(root)
  return byKey
}
