import type { DocumentPath } from './finding.ts'
import { type LintedStatement, statementOf } from './statement.ts'
import { sidesOf } from './texts.ts'

/** No document of AWS's tools lies nearly so deep. */
const DEEPEST = 100

export class TooDeep extends Error {}

export interface PolicyFound {
  readonly path: DocumentPath
  readonly statements: readonly LintedStatement[]
}

/**
 * The policies in a value: itself, and what is anywhere in it, as in what the AWS CLI prints, in templates of CloudFormation
 * and plans of Terraform, also as text (JSON, URL-encoded or not). Left out are statements with a principal, which belong to
 * resources and trust policies: `rds-db:connect` is allowed by policies of identities alone. Throws `TooDeep`.
 */
export function policiesIn(value: unknown, path: DocumentPath = []): PolicyFound[] {
  if (path.length > DEEPEST) throw new TooDeep('is nested too deeply')
  if (typeof value === 'string') return policiesIn(embedded(value), path)
  if (Array.isArray(value)) return value.flatMap((inner, at) => policiesIn(inner, [...path, at]))
  if (!isObject(value)) return []
  const statements = statementsIn(value.Statement, [...path, 'Statement'])
  if (!statements.some(([{ Effect }]) => Effect !== undefined))
    return Object.entries(value).flatMap(([name, inner]) => policiesIn(inner, [...path, name]))
  const ofIdentities = statements.filter(([each]) => !('Principal' in each) && !('NotPrincipal' in each))
  const version = value.Version
  return [{ path, statements: ofIdentities.map(([each, at]) => statementOf(each, { path: at, version })) }]
}

type Members = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null
}

function statementsIn(value: unknown, path: DocumentPath): [Members, DocumentPath][] {
  if (path.length > DEEPEST) throw new TooDeep('is nested too deeply')
  if (Array.isArray(value)) return value.flatMap((inner, at) => statementsIn(inner, [...path, at]))
  if (!isObject(value)) return []
  const sides = sidesOf(value['Fn::If'])
  if (sides.length > 0) return sides.flatMap(([side, at]) => statementsIn(side, [...path, 'Fn::If', at]))
  return [[value, path]]
}

/** The value that a text holds, where that may be a policy. */
function embedded(text: string): unknown {
  try {
    const json = /^\s*%7B/i.test(text) ? decodeURIComponent(text) : text
    return /^\s*\{/.test(json) && json.includes('"Statement"') ? JSON.parse(json) : undefined
  } catch {
    return undefined
  }
}
