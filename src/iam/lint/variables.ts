import type { LintFinding } from './finding.ts'
import type { LintedStatement } from './statement.ts'
import type { TextEntry } from './texts.ts'

const USERNAME =
  'has a value for IAM users alone: no role session, and so no jeton, ever matches it; name the database users'
const BECOMES = new Map([
  ['aws:username', USERNAME],
  [
    'aws:userid',
    'is ROLEID:SESSION of a role session, and no name of a database user; name the database users',
  ],
])
const CHOSEN =
  'is what the request brings: who sets its value chooses the database user, and without a value nothing matches; name the database users'

/**
 * What becomes of variables in the user of a `dbuser` ARN.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function variableFindings(
  { path }: TextEntry,
  { user, statement }: { user: string; statement: LintedStatement },
): LintFinding[] {
  return [...user.matchAll(/\$\{([^}]*)\}/g)]
    .map(([variable, inside = '']) => ({ variable, name: inside.replace(/,.*/s, '').trim() }))
    .filter(({ name }) => !/^[*?$]$/.test(name))
    .map(({ variable, name }) =>
      statement.knowsVariables
        ? {
            severity: 'warning',
            rule: 'variable',
            path,
            message: `${variable} ${BECOMES.get(name.toLowerCase()) ?? CHOSEN}`,
          }
        : {
            severity: 'error',
            rule: 'variable',
            path,
            message: `${variable} is plain text here: a policy without Version 2012-10-17 has no variables`,
          },
    )
}
