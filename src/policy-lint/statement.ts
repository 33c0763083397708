import { couldBeUser } from './arn.ts'
import type { Path } from './finding.ts'
import { type Entry, entriesOf, UNKNOWN } from './texts.ts'
import { matches } from './wildcard.ts'

export interface Condition {
  readonly operator: string
  readonly key: string
  readonly values: readonly Entry[]
  readonly path: Path
}

export interface Statement {
  readonly path: Path
  readonly denies: boolean
  readonly actions: readonly Entry[]
  /** Undefined where it has `Action`. */
  readonly notActions: readonly Entry[] | undefined
  readonly resources: readonly Entry[]
  /** Undefined where it has `Resource`. */
  readonly notResources: readonly Entry[] | undefined
  readonly conditions: readonly Condition[]
  /** Whether variables mean something: in a document of version 2008-10-17 they are text. */
  readonly knowsVariables: boolean
}

const CONNECT = 'rds-db:connect'

export function statementOf(
  value: Readonly<Record<string, unknown>>,
  { path, version }: { path: Path; version: unknown },
): Statement {
  const element = (name: string) => entriesOf(value[name], [...path, name])
  const elementIfAny = (name: string) => {
    const entries = element(name)
    return entries.length > 0 ? entries : undefined
  }
  return {
    path,
    denies: value.Effect === 'Deny',
    actions: element('Action'),
    notActions: elementIfAny('NotAction'),
    resources: element('Resource'),
    notResources: elementIfAny('NotResource'),
    conditions: conditionsOf(value.Condition, [...path, 'Condition']),
    knowsVariables: version !== undefined && version !== '2008-10-17',
  }
}

function conditionsOf(value: unknown, path: Path): Condition[] {
  return members(value).flatMap(([operator, keys]) =>
    members(keys).map(([key, values]) => {
      const here = [...path, operator, key]
      return { operator, key, values: entriesOf(values, here), path: here }
    }),
  )
}

function members(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

/** Whether its actions certainly include `rds-db:connect`. Actions are compared without regard to case. */
export function meansConnect({ actions, notActions = [] }: Statement): boolean {
  const isKnown = ({ text }: Entry) => !text.includes(UNKNOWN)
  const isConnect = ({ text }: Entry) => matches(text.toLowerCase(), CONNECT)
  if (notActions.length > 0) return notActions.every(isKnown) && !notActions.some(isConnect)
  return actions.filter(isKnown).some(isConnect)
}

/** Whether it is about logins at all: an action on everything is not, where its resources are all of another kind. */
export function meansUsers({ actions, resources, notResources }: Statement): boolean {
  return (
    notResources !== undefined ||
    actions.some(namesService) ||
    resources.some(({ text }) => text.includes(UNKNOWN) || couldBeUser(text))
  )
}

/** Whether an action names the service, so that it is no accident of a wildcard. */
export function namesService({ text }: Entry): boolean {
  return text.toLowerCase().startsWith('rds-db:')
}

/** Whether its resources include this one. */
export function coversResource({ resources, notResources }: Statement, arn: string): boolean {
  const isAmong = (entries: readonly Entry[]) => entries.some(({ text }) => matches(text, arn))
  return notResources ? !isAmong(notResources) : isAmong(resources)
}
