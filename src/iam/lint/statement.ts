import { isJsonObject, type JsonObject } from '../../lib/json.ts'
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
  readonly isDeny: boolean
  readonly actions: readonly TextEntry[]
  /** Undefined if the statement has `Action`. */
  readonly notActions: readonly TextEntry[] | undefined
  readonly resources: readonly TextEntry[]
  /** Undefined if the statement has `Resource`. */
  readonly notResources: readonly TextEntry[] | undefined
  readonly conditions: readonly LintedCondition[]
  /** Whether variables are replaced; in a document of version 2008-10-17 they are plain text. */
  readonly hasVariables: boolean
}

const CONNECT = 'rds-db:connect'

/** Returns a statement of a policy with the `Version` that the policy has. */
export function toStatement(
  { members, path }: { members: JsonObject; path: DocumentPath },
  version: unknown,
): LintedStatement {
  const element = (name: string) => entriesOf(members[name], [...path, name])
  const elementIfAny = (name: string) => {
    const entries = element(name)
    return entries.length > 0 ? entries : undefined
  }
  return {
    path,
    isDeny: members.Effect === 'Deny',
    actions: element('Action'),
    notActions: elementIfAny('NotAction'),
    resources: element('Resource'),
    notResources: elementIfAny('NotResource'),
    conditions: conditionsOf(members.Condition, [...path, 'Condition']),
    hasVariables: version !== undefined && version !== '2008-10-17',
  }
}

function conditionsOf(value: unknown, path: DocumentPath): LintedCondition[] {
  return entries(value).flatMap(([operator, keys]) =>
    entries(keys).map(([key, values]) => {
      const keyPath = [...path, operator, key]
      return { operator, key, values: entriesOf(values, keyPath), path: keyPath }
    }),
  )
}

function entries(value: unknown): [string, unknown][] {
  return isJsonObject(value) ? Object.entries(value) : []
}

/** Whether the actions include `rds-db:connect` for certain. IAM ignores the case of actions. */
export function allowsConnect({ actions, notActions = [] }: LintedStatement): boolean {
  const isKnown = ({ text }: TextEntry) => !text.includes(UNKNOWN)
  const isConnect = ({ text }: TextEntry) => matches(text.toLowerCase(), CONNECT)
  if (notActions.length > 0) return notActions.every(isKnown) && !notActions.some(isConnect)
  return actions.filter(isKnown).some(isConnect)
}

/** Whether the statement concerns logins at all. An action on all services does not if every resource is of another kind. */
export function concernsLogins({ actions, resources, notResources }: LintedStatement): boolean {
  return (
    notResources !== undefined ||
    actions.some(namesService) ||
    resources.some(({ text }) => text.includes(UNKNOWN) || couldBeUser(text))
  )
}

/** Whether an action names `rds-db`, instead of reaching it by a wildcard. */
export function namesService({ text }: TextEntry): boolean {
  return text.toLowerCase().startsWith('rds-db:')
}

/** Whether the statement's resources include this one. */
export function coversResource({ resources, notResources }: LintedStatement, arn: string): boolean {
  const includesArn = (patterns: readonly TextEntry[]) => patterns.some(({ text }) => matches(text, arn))
  return notResources ? !includesArn(notResources) : includesArn(resources)
}
