import { type Database, databaseUserArn } from '../../rds/database.ts'
import { parseResourceId } from '../../rds/resource-id.ts'
import { parseArn, parseUser } from './arn.ts'
import type { LintFinding } from './finding.ts'
import { allowsConnect, coversResource, type LintedStatement } from './statement.ts'
import type { TextEntry } from './texts.ts'
import { isLiteral } from './wildcard.ts'

/** Returns the resources that statements allow `rds-db:connect` on and that the configuration does not have. */
export function unknownResourceFindings(
  statements: readonly LintedStatement[],
  databases: readonly Database[],
): LintFinding[] {
  return allowingConnect(statements).flatMap(({ resources }) =>
    resources.flatMap(entry => unknownResourceFinding(entry, databases) ?? []),
  )
}

function unknownResourceFinding(
  { text, path }: TextEntry,
  databases: readonly Database[],
): LintFinding | undefined {
  const arn = parseArn(text)
  const target = arn && parseUser(arn.resource)
  if (!target || arn.service !== 'rds-db' || !parseResourceId(target.id).ok) return undefined
  const { id, user } = target
  let candidates = databases.filter(({ resourceId }) => resourceId === id)
  const [first] = candidates
  if (!first) return notConfigured(path, `no configured database has the resource id ${id}`)
  for (const part of ['partition', 'region', 'account'] as const) {
    if (!isLiteral(arn[part])) continue
    candidates = candidates.filter(database => database[part] === arn[part])
    if (candidates.length === 0)
      return {
        severity: 'error',
        rule: part,
        path,
        message: `${arn[part]} is not the ${part} of ${id}: databases.${first.name} is configured with ${first[part]}`,
      }
  }
  if (!isLiteral(user) || candidates.some(({ users }) => users.includes(user))) return undefined
  return notConfigured(path, `${user} is not a configured user of databases.${first.name}`)
}

function notConfigured(path: TextEntry['path'], message: string): LintFinding {
  return { severity: 'warning', rule: 'not-configured', path, message }
}

/**
 * Returns the configured users that no statement allows, but only for databases that the statements allow other users of or
 * name by resource id: the policy of any other may be elsewhere. Ignores conditions and statements that deny. Paths are
 * those of the configuration.
 */
export function missingUserFindings(
  statements: readonly LintedStatement[],
  databases: readonly Database[],
): LintFinding[] {
  const allowing = allowingConnect(statements)
  return databases.flatMap(database => {
    const isNamed = allowing.some(({ resources }) =>
      resources.some(({ text }) => text.includes(`:dbuser:${database.resourceId}/`)),
    )
    const users = database.users.map((user, index) => {
      const arn = databaseUserArn(database, user)
      return { arn, index, isCovered: allowing.some(statement => coversResource(statement, arn)) }
    })
    if (!isNamed && !users.some(({ isCovered }) => isCovered)) return []
    return users
      .filter(({ isCovered }) => !isCovered)
      .map(({ arn, index }) => ({
        severity: 'error',
        rule: 'not-covered',
        path: ['databases', database.name, 'users', index],
        message: `no statement allows rds-db:connect on ${arn}: RDS will refuse its tokens`,
      }))
  })
}

function allowingConnect(statements: readonly LintedStatement[]): LintedStatement[] {
  return statements.filter(statement => !statement.isDeny && allowsConnect(statement))
}
