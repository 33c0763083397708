import { couldBeUser } from './arn.ts'
import type { DocumentPath } from './finding.ts'
import { entriesOf, type TextEntry, UNKNOWN } from './texts.ts'
import { matches } from './wildcard.ts'

export interface LintedCondition {
  readonly operator: string
  readonly key: string
  readonly values: readonly TextEntry[]
  readonly path: DocumentPath
}

export interface LintedStatement {
  readonly path: DocumentPath
  readonly denies: boolean
  readonly actions: readonly TextEntry[]
  /** Undefined where it has `Action`. */
  readonly notActions: readonly TextEntry[] | undefined
  readonly resources: readonly TextEntry[]
  /** Undefined where it has `Resource`. */
  readonly notResources: readonly TextEntry[] | undefined
  readonly conditions: readonly LintedCondition[]
  /** Whether variables mean something: in a document of version 2008-10-17 they are text. */
  readonly knowsVariables: boolean
}

const CONNECT = 'rds-db:connect'

export function statementOf(
  value: Readonly<Record<string, unknown>>,
  { path, version }: { path: DocumentPath; version: unknown },
): LintedStatement {
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

function conditionsOf(value: unknown, path: DocumentPath): LintedCondition[] {
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
export function allowsConnect({ actions, notActions = [] }: LintedStatement): boolean {
  const isKnown = ({ text }: TextEntry) => !text.includes(UNKNOWN)
  const isConnect = ({ text }: TextEntry) => matches(text.toLowerCase(), CONNECT)
  if (notActions.length > 0) return notActions.every(isKnown) && !notActions.some(isConnect)
  return actions.filter(isKnown).some(isConnect)
}

/** Whether it is about logins at all: an action on everything is not, where its resources are all of another kind. */
export function meansUsers({ actions, resources, notResources }: LintedStatement): boolean {
  return (
    notResources !== undefined ||
    actions.some(namesService) ||
    resources.some(({ text }) => text.includes(UNKNOWN) || couldBeUser(text))
  )
}

/** Whether an action names the service, so that it is no accident of a wildcard. */
export function namesService({ text }: TextEntry): boolean {
  return text.toLowerCase().startsWith('rds-db:')
}

/** Whether its resources include this one. */
export function coversResource({ resources, notResources }: LintedStatement, arn: string): boolean {
  const isAmong = (entries: readonly TextEntry[]) => entries.some(({ text }) => matches(text, arn))
  return notResources ? !isAmong(notResources) : isAmong(resources)
}
