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

/** Reads a file of infra/ with its short functions written out. Variables of osls are left as they are. */
export async function readTemplate(name: string): Promise<Template> {
  const path = new URL(`../../infra/${name}`, import.meta.url)
  return parse(await readFile(path, 'utf8'), { customTags: SHORT, merge: true })
}

export interface StackValues {
  /** By `Name`, `Name.Attribute` or `AWS::Name`. */
  readonly values: Readonly<Record<string, unknown>>
  readonly conditions?: Readonly<Record<string, boolean>>
}

const NO_VALUE = Symbol('AWS::NoValue')

/** Returns a function that resolves CloudFormation's functions in a value. It throws on an unknown name. */
export function resolveWith({ values, conditions = {} }: StackValues) {
  function lookUp(name: string): unknown {
    if (name === 'AWS::NoValue') return NO_VALUE
    if (!(name in values)) throw new Error(`the test has no value for ${name}`)
    return values[name]
  }

  function sub(argument: unknown): string {
    const [text, own] = (Array.isArray(argument) ? argument : [argument, {}]) as [
      string,
      Record<string, unknown>,
    ]
    return text.replace(/\$\{([^}]+)\}/g, (_, name: string) =>
      String(name in own ? resolve(own[name]) : lookUp(name)),
    )
  }

  function call(name: string, argument: unknown): unknown {
    if (name === 'Ref') return lookUp(argument as string)
    if (name === 'Fn::GetAtt') return lookUp(Array.isArray(argument) ? argument.join('.') : String(argument))
    if (name === 'Fn::Sub') return sub(argument)
    if (name === 'Fn::Join') {
      const [delimiter, parts] = argument as [string, unknown[]]
      return parts.map(resolve).join(delimiter)
    }
    if (name === 'Fn::If') {
      const [condition, then, otherwise] = argument as [string, unknown, unknown]
      return resolve(conditions[condition] ? then : otherwise)
    }
    throw new Error(`${name} is not supported by this test`)
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter(each => each !== NO_VALUE)
    if (value === null || typeof value !== 'object') return value
    const [first, ...more] = Object.entries(value)
    if (first && more.length === 0 && /^(Ref|Fn::.*)$/.test(first[0])) return call(...first)
    const entries = Object.entries(value).map(([name, each]) => [name, resolve(each)])
    return Object.fromEntries(entries.filter(([, each]) => each !== NO_VALUE))
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
