import { readFile } from 'node:fs/promises'
import { parse, type Tags } from 'yaml'

export interface Resource {
  readonly Type: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly DependsOn?: string | readonly string[]
  readonly Properties: Record<string, unknown>
}

export interface Template {
  readonly Parameters?: Record<string, { Default?: string; AllowedPattern?: string }>
  readonly Conditions?: Record<string, unknown>
  readonly Resources: Record<string, Resource>
  readonly Outputs: Record<string, { Value: unknown }>
}

/** A file of infra/, with the short functions written out; variables of osls stand in it as they are. */
export async function readTemplate(name: string): Promise<Template> {
  const path = new URL(`../../infra/${name}`, import.meta.url)
  return parse(await readFile(path, 'utf8'), { customTags: SHORT, merge: true })
}

export interface Known {
  /** By `Name`, `Name.Attribute` or `AWS::Name`. */
  readonly values: Readonly<Record<string, unknown>>
  readonly conditions?: Readonly<Record<string, boolean>>
}

const NOTHING = Symbol('AWS::NoValue')

/** A value with CloudFormation's functions carried out. Throws on a name that is not known. */
export function resolveWith({ values, conditions = {} }: Known) {
  function known(name: string): unknown {
    if (name === 'AWS::NoValue') return NOTHING
    if (!(name in values)) throw new Error(`nothing is known of ${name}`)
    return values[name]
  }

  function sub(given: unknown): string {
    const [text, own] = (Array.isArray(given) ? given : [given, {}]) as [string, Record<string, unknown>]
    return text.replace(/\$\{([^}]+)\}/g, (_, name: string) =>
      String(name in own ? resolve(own[name]) : known(name)),
    )
  }

  function call(name: string, given: unknown): unknown {
    if (name === 'Ref') return known(given as string)
    if (name === 'Fn::GetAtt') return known(Array.isArray(given) ? given.join('.') : String(given))
    if (name === 'Fn::Sub') return sub(given)
    if (name === 'Fn::Join') {
      const [between, parts] = given as [string, unknown[]]
      return parts.map(resolve).join(between)
    }
    if (name === 'Fn::If') {
      const [condition, then, otherwise] = given as [string, unknown, unknown]
      return resolve(conditions[condition] ? then : otherwise)
    }
    throw new Error(`${name} is not known here`)
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter(each => each !== NOTHING)
    if (value === null || typeof value !== 'object') return value
    const [first, ...more] = Object.entries(value)
    if (first && more.length === 0 && /^(Ref|Fn::.*)$/.test(first[0])) return call(...first)
    const entries = Object.entries(value).map(([name, each]) => [name, resolve(each)])
    return Object.fromEntries(entries.filter(([, each]) => each !== NOTHING))
  }

  return resolve
}

const SHORT: Tags = [
  ...['Ref', 'Fn::GetAtt', 'Fn::Sub'].map(name => ({
    tag: `!${name.replace('Fn::', '')}`,
    resolve: (text: string) => ({ [name]: text }),
  })),
  ...['Fn::If', 'Fn::Not', 'Fn::Equals', 'Fn::Join'].map(name => ({
    tag: `!${name.replace('Fn::', '')}`,
    collection: 'seq' as const,
    resolve: (list: { toJSON(): unknown }) => ({ [name]: list.toJSON() }),
  })),
]
