import type { Template } from './cloudformation.ts'

export interface Statement {
  readonly Sid?: string
  readonly Effect: string
  readonly Principal?: unknown
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

/** One call as IAM sees it. */
export interface ApiCall {
  readonly action: string
  readonly resource: string
  /** The condition keys of the request, with their values. */
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

export const listOf = (value: string | readonly string[]): readonly string[] => [value].flat()

/** Whether one of the statements allows the call. Throws on anything that the stack's policies do not use. */
export function allows(statements: readonly Statement[], call: ApiCall): boolean {
  return statements.some(statement => allowedBy(statement, call))
}

export function allowedBy(statement: Statement, { action, resource, context }: ApiCall): boolean {
  const { Effect, Action, Resource, Condition = {} } = statement
  if (Effect !== 'Allow') throw new Error(`the effect ${Effect} is not supported by this test`)
  return (
    listOf(Action).some(each => plain(each) === action) &&
    listOf(Resource).some(each => each === '*' || plain(each) === resource) &&
    Object.entries(Condition).every(([operator, keys]) => holds(operator, { keys, context }))
  )
}

function holds(
  operator: string,
  {
    keys,
    context,
  }: { keys: Readonly<Record<string, string | readonly string[]>>; context: ApiCall['context'] },
): boolean {
  return Object.entries(keys).every(([key, values]) => {
    const given = listOf(context[key] ?? [])
    const isEqual = (value: string) => listOf(values).includes(value)
    const isLike = (value: string) => listOf(values).some(pattern => matchesGlob(value, pattern))
    // without a value in the request, the positive operators do not hold, and the last two do
    if (operator === 'StringEquals') return given.length === 1 && given.every(isEqual)
    if (operator === 'StringLike') return given.length === 1 && given.every(isLike)
    if (operator === 'StringLikeIfExists') return given.every(isLike)
    if (operator === 'ForAllValues:StringEquals') return given.every(isEqual)
    throw new Error(`the operator ${operator} is not supported by this test`)
  })
}

/** Whether a value matches a pattern that may end in `*`. */
function matchesGlob(value: string, pattern: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
}

function plain(text: string): string {
  if (/[*?]/.test(text)) throw new Error(`the wildcard in ${text} is not supported by this test`)
  return text
}

/** Returns every statement of every policy in a template, resolved, with the name of the resource that has it. */
export function policiesOf(
  { Resources }: Pick<Template, 'Resources'>,
  resolve: (value: unknown) => unknown,
): [string, Statement][] {
  const statements: [string, Statement][] = []
  const search = (name: string, value: unknown) => {
    if (value === null || typeof value !== 'object') return
    if ('Statement' in value)
      for (const statement of resolve(value.Statement) as Statement[]) statements.push([name, statement])
    else for (const each of Object.values(value)) search(name, each)
  }
  for (const [name, { Properties }] of Object.entries(Resources)) search(name, Properties)
  // trust policies have no resource
  return statements.filter(([, { Resource }]) => Resource !== undefined)
}
