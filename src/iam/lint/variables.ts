import type { LintFinding } from './finding.ts'
import type { LintedStatement } from './statement.ts'
import type { TextEntry } from './texts.ts'

/** What is wrong with a variable, by its name in lower case. */
const PROBLEMS = new Map([
  [
    'aws:username',
    'has a value only for IAM users, so no role session matches it, and jeton uses role sessions; name the database users',
  ],
  [
    'aws:userid',
    'is ROLEID:SESSION for a role session, which is not the name of a database user; name the database users',
  ],
])
const OTHER_PROBLEM =
  'takes its value from the request: whoever sets it chooses the database user, and without a value nothing matches; name the database users'

/**
 * Returns the variables in the user of a `dbuser` ARN, each with what becomes of it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function variableFindings(
  { path }: TextEntry,
  { user, statement }: { user: string; statement: LintedStatement },
): LintFinding[] {
  return [...user.matchAll(/\$\{([^}]*)\}/g)]
    .map(([variable, content = '']) => ({ variable, name: content.replace(/,.*/s, '').trim() }))
    .filter(({ name }) => !/^[*?$]$/.test(name))
    .map(({ variable, name }) =>
      statement.hasVariables
        ? {
            severity: 'warning',
            rule: 'variable',
            path,
            message: `${variable} ${PROBLEMS.get(name.toLowerCase()) ?? OTHER_PROBLEM}`,
          }
        : {
            severity: 'error',
            rule: 'variable',
            path,
            message: `${variable} is plain text here: a policy without Version 2012-10-17 has no variables`,
          },
    )
}
