import { parseArn } from './arn.ts'
import type { LintFinding } from './finding.ts'
import { allowsConnect, type LintedStatement, namesService } from './statement.ts'
import { UNKNOWN } from './texts.ts'
import { matches } from './wildcard.ts'

/**
 * Actions that there are not; an action on all services, where it reaches database users; and database users without the
 * action that they are for.
 */
export function actionFindings(statement: LintedStatement): LintFinding[] {
  const misspelt = misspeltFindings(statement)
  // the misspelt one is why no action is the right one
  if (misspelt.length > 0 && !allowsConnect(statement)) return misspelt
  return [...misspelt, ...reachFindings(statement)]
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrdsiamauthentication.html */
function misspeltFindings({ actions, notActions = [] }: LintedStatement): LintFinding[] {
  return [...actions, ...notActions]
    .filter(entry => namesService(entry) && !matches(entry.text.toLowerCase(), 'rds-db:connect'))
    .map(({ text, path }) => ({
      severity: 'error',
      rule: 'action',
      path,
      message: `${text} is no action: rds-db:connect is the only one that rds-db has`,
    }))
}

function reachFindings(statement: LintedStatement): LintFinding[] {
  const { actions, notActions, resources, denies, path } = statement
  if (allowsConnect(statement)) {
    if (denies) return []
    const wide = actions.filter(({ text }) => /^\*+(?::\*+)?$/.test(text))
    return [...wide, ...(notActions ? [{ path: [...path, 'NotAction'] }] : [])].map(entry => ({
      severity: 'warning',
      rule: 'too-broad',
      path: entry.path,
      message: 'allows rds-db:connect along with nearly everything else: give it a statement of its own',
    }))
  }
  const isOpen = actions.some(({ text }) => text.includes(UNKNOWN))
  const user = resources.find(({ text }) => parseArn(text)?.service === 'rds-db')
  if (!user || notActions || isOpen) return []
  const message = `${user.text} is a database user, and no action here is rds-db:connect, the only one for it`
  return [{ severity: 'error', rule: 'action', path: user.path, message }]
}
