import { actionFindings } from './actions.ts'
import { conditionFindings } from './conditions.ts'
import type { LintFinding } from './finding.ts'
import { resourceFindings } from './resources.ts'
import { allowsConnect, type LintedStatement, meansUsers } from './statement.ts'
import { UNKNOWN } from './texts.ts'

/**
 * What in the statements of policies never works with RDS IAM authentication, and what is too broad. It says nothing of what
 * AWS itself says when a policy is made, and does not weigh statements against each other: that one denies what another
 * allows is not seen.
 */
export function lintStatements(statements: readonly LintedStatement[]): LintFinding[] {
  return statements.flatMap(lintStatement).map(finding => ({
    ...finding,
    message: finding.message.replaceAll(UNKNOWN, '…'),
  }))
}

function lintStatement(statement: LintedStatement): LintFinding[] {
  if (!allowsConnect(statement)) return actionFindings(statement)
  if (!meansUsers(statement)) return []
  return [...actionFindings(statement), ...resourceFindings(statement), ...conditionFindings(statement)]
}
