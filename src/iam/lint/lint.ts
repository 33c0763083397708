import { actionFindings } from './actions.ts'
import { conditionFindings } from './conditions.ts'
import type { LintFinding } from './finding.ts'
import { resourceFindings } from './resources.ts'
import { allowsConnect, concernsLogins, type LintedStatement } from './statement.ts'
import { UNKNOWN } from './texts.ts'

/**
 * Returns what never works with RDS IAM authentication, and what is too broad. Leaves out what AWS itself reports when a
 * policy is created, and looks at each statement alone: it does not see that one denies what another allows.
 */
export function lintStatements(statements: readonly LintedStatement[]): LintFinding[] {
  return statements.flatMap(lintStatement).map(finding => ({
    ...finding,
    message: finding.message.replaceAll(UNKNOWN, '…'),
  }))
}

function lintStatement(statement: LintedStatement): LintFinding[] {
  if (!allowsConnect(statement)) return actionFindings(statement)
  if (!concernsLogins(statement)) return []
  return [...actionFindings(statement), ...resourceFindings(statement), ...conditionFindings(statement)]
}
