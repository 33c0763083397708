import { parseArn } from './arn.ts'
import type { LintFinding } from './finding.ts'
import { allowsConnect, type LintedStatement, namesService } from './statement.ts'
import { UNKNOWN } from './texts.ts'
import { matches } from './wildcard.ts'

/**
 * Returns the `rds-db` actions that do not exist; actions of all services, if they reach database users; and database users
 * without `rds-db:connect`.
 */
export function actionFindings(statement: LintedStatement): LintFinding[] {
  const misspelt = misspeltFindings(statement)
  // the misspelt action explains why rds-db:connect is missing
  if (misspelt.length > 0 && !allowsConnect(statement)) return misspelt
  return [
    ...misspelt,
    ...(allowsConnect(statement) ? broadFindings(statement) : missingActionFindings(statement)),
  ]
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrdsiamauthentication.html */
function misspeltFindings({ actions, notActions = [] }: LintedStatement): LintFinding[] {
  return [...actions, ...notActions]
    .filter(entry => namesService(entry) && !matches(entry.text.toLowerCase(), 'rds-db:connect'))
    .map(({ text, path }) => ({
      severity: 'error',
      rule: 'action',
      path,
      message: `${text} does not exist: the only action of rds-db is rds-db:connect`,
    }))
}

function broadFindings({ actions, notActions, isDeny, path }: LintedStatement): LintFinding[] {
  if (isDeny) return []
  const wide = actions.filter(({ text }) => /^\*+(?::\*+)?$/.test(text))
  return [...wide, ...(notActions ? [{ path: [...path, 'NotAction'] }] : [])].map(entry => ({
    severity: 'warning',
    rule: 'too-broad',
    path: entry.path,
    message: 'allows rds-db:connect along with nearly everything else: give it a statement of its own',
  }))
}

function missingActionFindings({ actions, notActions, resources }: LintedStatement): LintFinding[] {
  const hasUnknown = actions.some(({ text }) => text.includes(UNKNOWN))
  const user = resources.find(({ text }) => parseArn(text)?.service === 'rds-db')
  if (!user || notActions || hasUnknown) return []
  const message = `${user.text} is a database user, but the statement lacks rds-db:connect, the only action that works on one`
  return [{ severity: 'error', rule: 'action', path: user.path, message }]
}
