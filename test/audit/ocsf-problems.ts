import { isIP } from 'node:net'
import { isJsonObject, type JsonObject } from '../../src/lib/json.ts'
import schema from './ocsf-schema.json' with { type: 'json' }

interface Attribute {
  readonly type: string
  readonly required?: boolean
  /** It is there only if the event has this profile. */
  readonly profile?: string
  readonly enum?: Readonly<Record<string, string>>
  /** The attribute that has the caption of the number. */
  readonly sibling?: string
}

interface Definition {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly at_least_one?: readonly string[]
}

interface EventClass extends Definition {
  readonly caption: string
  readonly category: { readonly uid: number; readonly caption: string }
}

const CLASSES: Readonly<Record<string, EventClass>> = schema.classes
const OBJECTS: Readonly<Record<string, Definition>> = schema.objects
const OTHER = '99'

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string_t: value => typeof value === 'string' && value !== '',
  integer_t: Number.isSafeInteger,
  long_t: Number.isSafeInteger,
  timestamp_t: value => Number.isSafeInteger(value) && Number(value) > 1_000_000_000_000,
  boolean_t: value => typeof value === 'boolean',
  ip_t: value => typeof value === 'string' && isIP(value) > 0,
  object: isJsonObject,
}

/** What is wrong with the JSON of an event by the extract of the schema: attributes that it does not have are, too. */
export function ocsfProblems(event: JsonObject): string[] {
  const eventClass = CLASSES[String(event.class_uid)]
  if (!eventClass) return [`no class ${event.class_uid}`]
  const { category, caption } = eventClass
  const metadata = isJsonObject(event.metadata) ? event.metadata : {}
  const profiles = Array.isArray(metadata.profiles) ? metadata.profiles : []
  const expected = {
    category_uid: category.uid,
    category_name: category.caption,
    class_name: caption,
    type_uid: Number(event.class_uid) * 100 + Number(event.activity_id),
    type_name: `${caption}: ${event.activity_name}`,
  }
  return [
    ...Object.entries(expected).flatMap(([name, value]) =>
      event[name] === value ? [] : [`${name} is ${event[name]}, not ${value}`],
    ),
    ...(metadata.version === schema.version ? [] : [`the schema's version is not ${metadata.version}`]),
    ...problemsIn(event, { definition: eventClass, path: '', profiles }),
  ]
}

interface Context {
  readonly definition: Definition
  readonly path: string
  readonly profiles: readonly unknown[]
}

function problemsIn(value: JsonObject, { definition, path, profiles }: Context): string[] {
  const { attributes, at_least_one: any } = definition
  const missing = Object.entries(attributes)
    .filter(([name, { required, profile }]) => required && hasProfile(profile, profiles) && !(name in value))
    .map(([name]) => `${path}${name} is missing`)
  return [
    ...missing,
    ...(any && !any.some(name => name in value) ? [`${path} has none of ${any.join(', ')}`] : []),
    ...Object.entries(value).flatMap(([name, member]) => {
      const attribute = attributes[name]
      if (!attribute) return [`${path}${name} is not in the schema`]
      if (!hasProfile(attribute.profile, profiles))
        return [`${path}${name} needs the profile ${attribute.profile}`]
      return [
        ...typeProblems(member, { type: attribute.type, path: `${path}${name}`, profiles }),
        ...enumProblems(value, name, attribute).map(problem => `${path}${problem}`),
      ]
    }),
  ]
}

function hasProfile(profile: string | undefined, profiles: readonly unknown[]): boolean {
  return profile === undefined || profiles.includes(profile)
}

interface Typed {
  readonly type: string
  readonly path: string
  readonly profiles: readonly unknown[]
}

function typeProblems(value: unknown, { type, path, profiles }: Typed): string[] {
  if (type.endsWith('[]')) {
    if (!Array.isArray(value) || value.length === 0) return [`${path} is not a list`]
    return value.flatMap((each, i) =>
      typeProblems(each, { type: type.slice(0, -2), path: `${path}[${i}]`, profiles }),
    )
  }
  const isScalar = SCALARS[type]
  if (isScalar) return isScalar(value) ? [] : [`${path} is not a ${type}`]
  const definition = OBJECTS[type]
  if (!definition) return [`${path} is a ${type}, which the extract lacks`]
  return isJsonObject(value)
    ? problemsIn(value, { definition, path: `${path}.`, profiles })
    : [`${path} is not an object`]
}

/** Numbers of classes, categories and types are not lists of the schema's text: `ocsfProblems` calculates them. */
const CALCULATED = ['class_uid', 'category_uid']

function enumProblems(value: JsonObject, name: string, { enum: captions, sibling }: Attribute): string[] {
  if (!captions || CALCULATED.includes(name)) return []
  const number = String(value[name])
  const caption = captions[number]
  if (caption === undefined) return [`${name} has no ${number}`]
  const isNamed = sibling === undefined || !(sibling in value) || number === OTHER
  return isNamed || value[sibling] === caption ? [] : [`${sibling} is ${value[sibling]}, not ${caption}`]
}
