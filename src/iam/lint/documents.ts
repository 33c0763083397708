import { isJsonObject, type JsonObject } from '../../lib/json.ts'
import type { DocumentPath } from './finding.ts'
import { type LintedStatement, toStatement } from './statement.ts'
import { ifBranches } from './texts.ts'

/** No document of AWS's tools is nearly so deep. */
const MAX_DEPTH = 100

/** The error for a file that is nested too deeply to be searched. */
export class NestedTooDeep extends Error {
  override readonly name = 'NestedTooDeep'
  override readonly message = 'is nested too deeply'
}

export interface LintedPolicy {
  readonly path: DocumentPath
  readonly statements: readonly LintedStatement[]
}

/**
 * Finds policies anywhere in a value: what the AWS CLI prints, CloudFormation templates, Terraform plans, and texts in them
 * (JSON, URL-encoded or not). Leaves out statements with a principal, which belong to resource and trust policies: only
 * identity policies can allow `rds-db:connect`. Throws `NestedTooDeep`.
 */
export function policiesIn(value: unknown, path: DocumentPath = []): LintedPolicy[] {
  if (path.length > MAX_DEPTH) throw new NestedTooDeep()
  if (typeof value === 'string') return policiesIn(embeddedJson(value), path)
  if (Array.isArray(value)) return value.flatMap((item, index) => policiesIn(item, [...path, index]))
  if (!isJsonObject(value)) return []
  const statements = statementsIn(value.Statement, [...path, 'Statement'])
  if (!statements.some(({ members }) => members.Effect !== undefined))
    return Object.entries(value).flatMap(([name, member]) => policiesIn(member, [...path, name]))
  const ofIdentities = statements.filter(
    ({ members }) => !('Principal' in members) && !('NotPrincipal' in members),
  )
  return [{ path, statements: ofIdentities.map(statement => toStatement(statement, value.Version)) }]
}

/** A statement as the document has it. */
interface RawStatement {
  readonly members: JsonObject
  readonly path: DocumentPath
}

function statementsIn(value: unknown, path: DocumentPath): RawStatement[] {
  if (path.length > MAX_DEPTH) throw new NestedTooDeep()
  if (Array.isArray(value)) return value.flatMap((item, index) => statementsIn(item, [...path, index]))
  if (!isJsonObject(value)) return []
  const branches = ifBranches(value['Fn::If'])
  if (branches.length > 0)
    return branches.flatMap(({ branch, index }) => statementsIn(branch, [...path, 'Fn::If', index]))
  return [{ members: value, path }]
}

/** Returns the value of a text that may be a policy, else undefined. */
function embeddedJson(text: string): unknown {
  try {
    const json = /^\s*%7B/i.test(text) ? decodeURIComponent(text) : text
    return /^\s*\{/.test(json) && json.includes('"Statement"') ? JSON.parse(json) : undefined
  } catch {
    return undefined
  }
}
