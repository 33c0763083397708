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
  readonly context: Readonly<Record<string, string>>
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
  if (operator !== 'StringEquals') throw new Error(`the operator ${operator} is not supported by this test`)
  return Object.entries(keys).every(([key, values]) => listOf(values).includes(context[key] ?? ''))
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
