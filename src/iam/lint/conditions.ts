import type { LintFinding } from './finding.ts'
import type { LintedCondition, LintedStatement } from './statement.ts'

/**
 * The condition keys that RDS does not pass to IAM when it checks a token.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.Availability
 */
const UNSUPPORTED_KEYS = new Set([
  'aws:referer',
  'aws:sourceip',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:useragent',
  'aws:vpcsourceip',
])

/** Returns the conditions on keys that a login never has. For a statement with `rds-db:connect`. */
export function conditionFindings({ conditions, isDeny }: LintedStatement): LintFinding[] {
  return conditions
    .filter(({ key }) => UNSUPPORTED_KEYS.has(key.toLowerCase()))
    .map(condition => ({
      severity: 'error',
      rule: 'condition-key',
      path: condition.path,
      message: `RDS logins have no ${condition.key}: ${consequence(condition, isDeny)}`,
    }))
}

const INSTEAD = 'remove it, and restrict where logins come from with security groups'

function consequence(condition: LintedCondition, isDeny: boolean): string {
  if (holdsWithoutKey(condition))
    return isDeny
      ? 'the condition always holds, so the statement denies logins from everywhere; exempt rds-db:connect from it'
      : `the condition always holds and keeps nobody out; ${INSTEAD}`
  return isDeny
    ? `the condition never holds, so the statement denies no login; ${INSTEAD}`
    : `the condition never holds, so the statement allows no login; ${INSTEAD}`
}

/**
 * Whether IAM takes a condition to hold if the request lacks its key.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
function holdsWithoutKey({ operator, values }: LintedCondition): boolean {
  const [, quantifier, base = ''] =
    /^(?:(forallvalues|foranyvalue):)?(.*)$/.exec(operator.toLowerCase()) ?? []
  if (base === 'null') return values.some(({ text }) => text.toLowerCase() === 'true')
  if (base.endsWith('ifexists') || quantifier === 'forallvalues') return true
  return quantifier === undefined && /not/.test(base)
}
