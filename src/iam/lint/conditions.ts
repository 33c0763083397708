import type { LintFinding } from './finding.ts'
import type { LintedCondition, LintedStatement } from './statement.ts'

/**
 * What RDS does not give IAM when it checks a token.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.Availability
 */
const UNSUPPORTED = new Set([
  'aws:referer',
  'aws:sourceip',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:useragent',
  'aws:vpcsourceip',
])

/** Of a statement that means `rds-db:connect`: the conditions on keys that a login never has. */
export function conditionFindings({ conditions, denies }: LintedStatement): LintFinding[] {
  return conditions
    .filter(({ key }) => UNSUPPORTED.has(key.toLowerCase()))
    .map(condition => ({
      severity: 'error',
      rule: 'condition-key',
      path: condition.path,
      message: `RDS logins have no ${condition.key}: ${consequence(condition, denies)}`,
    }))
}

function consequence(condition: LintedCondition, denies: boolean): string {
  if (holdsWithoutKey(condition))
    return denies
      ? 'the condition always holds, and so the statement denies logins from anywhere; exempt rds-db:connect from it'
      : 'the condition always holds and keeps nobody out; remove it, and limit where logins come from by security groups'
  return denies
    ? 'the condition never holds, and so the statement denies no login; remove it, and limit where logins come from by security groups'
    : 'the condition never holds, and so the statement allows no login; remove it, and limit where logins come from by security groups'
}

/**
 * What IAM makes of a condition whose key is missing from a request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
function holdsWithoutKey({ operator, values }: LintedCondition): boolean {
  const [, set, base = ''] = /^(?:(forallvalues|foranyvalue):)?(.*)$/.exec(operator.toLowerCase()) ?? []
  if (base === 'null') return values.some(({ text }) => text.toLowerCase() === 'true')
  if (base.endsWith('ifexists') || set === 'forallvalues') return true
  return set === undefined && /not/.test(base)
}
