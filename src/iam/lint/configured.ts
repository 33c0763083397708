import { type Database, databaseUserArn } from '../../rds/database.ts'
import { parseArn, parseUser } from './arn.ts'
import type { LintFinding } from './finding.ts'
import { allowsConnect, coversResource, type LintedStatement } from './statement.ts'
import type { TextEntry } from './texts.ts'
import { isLiteral } from './wildcard.ts'

/** Of statements that allow `rds-db:connect`: what they name that is not configured so. */
export function unknownResourceFindings(
  statements: readonly LintedStatement[],
  databases: readonly Database[],
): LintFinding[] {
  return allowing(statements).flatMap(({ resources }) =>
    resources.flatMap(entry => {
      const finding = stranger(entry, databases)
      return finding ? [finding] : []
    }),
  )
}

function stranger({ text, path }: TextEntry, databases: readonly Database[]): LintFinding | undefined {
  const arn = parseArn(text)
  const target = arn && parseUser(arn.resource)
  if (!target || arn.service !== 'rds-db' || !/^(?:db|cluster|prx)-\w+$/.test(target.id)) return undefined
  const { id, user } = target
  let fitting = databases.filter(({ resourceId }) => resourceId === id)
  const [first] = fitting
  if (!first) return warning(path, `${id} is the resource id of no configured database`)
  for (const part of ['partition', 'region', 'account'] as const) {
    if (!isLiteral(arn[part])) continue
    fitting = fitting.filter(database => database[part] === arn[part])
    if (fitting.length === 0)
      return {
        severity: 'error',
        rule: part,
        path,
        message: `${arn[part]} is not the ${part} of ${id}: databases.${first.name} is configured with ${first[part]}`,
      }
  }
  if (!isLiteral(user) || fitting.some(({ users }) => users.includes(user))) return undefined
  return warning(path, `${user} is no configured user of databases.${first.name}`)
}

function warning(path: TextEntry['path'], message: string): LintFinding {
  return { severity: 'warning', rule: 'not-configured', path, message }
}

/**
 * The configured users that no statement allows, of databases of which some statement allows others or names the resource
 * id: what else is configured may have its policy elsewhere. Conditions, and statements that deny, are not looked at. Paths
 * are those of the configuration.
 */
export function missingUserFindings(
  statements: readonly LintedStatement[],
  databases: readonly Database[],
): LintFinding[] {
  const allowed = allowing(statements)
  return databases.flatMap(database => {
    const isNamed = allowed.some(({ resources }) =>
      resources.some(({ text }) => text.includes(`:dbuser:${database.resourceId}/`)),
    )
    const users = database.users.map((user, at) => {
      const arn = databaseUserArn(database, user)
      return { arn, at, isCovered: allowed.some(statement => coversResource(statement, arn)) }
    })
    if (!isNamed && !users.some(({ isCovered }) => isCovered)) return []
    return users
      .filter(({ isCovered }) => !isCovered)
      .map(({ arn, at }) => ({
        severity: 'error',
        rule: 'not-covered',
        path: ['databases', database.name, 'users', at],
        message: `no statement allows rds-db:connect on ${arn}: its tokens are refused`,
      }))
  })
}

function allowing(statements: readonly LintedStatement[]): LintedStatement[] {
  return statements.filter(statement => !statement.denies && allowsConnect(statement))
}
