import { policiesIn } from '../../../src/iam/lint/documents.ts'
import type { LintFinding } from '../../../src/iam/lint/finding.ts'
import { lintStatements } from '../../../src/iam/lint/lint.ts'
import { parsePolicyFile } from '../../../src/iam/lint/parse.ts'
import type { LintedStatement } from '../../../src/iam/lint/statement.ts'

/** A correct ARN of one user. */
export const USER = 'arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_ro'

/** A correct policy with one statement, changed as given. */
export function policy(statement: object = {}, document: object = {}): object {
  const sound = { Effect: 'Allow', Action: 'rds-db:connect', Resource: USER }
  return { Version: '2012-10-17', Statement: [{ ...sound, ...statement }], ...document }
}

export function statementsOf(text: string): LintedStatement[] {
  const parsed = parsePolicyFile(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return policiesIn(parsed.value).flatMap(({ statements }) => statements)
}

export function lint(value: unknown): LintFinding[] {
  return lintStatements(statementsOf(typeof value === 'string' ? value : JSON.stringify(value)))
}

/** Severity, rule and path of each, as in `error resource Statement.0.Resource`. */
export function briefly(findings: readonly LintFinding[]): string[] {
  return findings.map(({ severity, rule, path }) => `${severity} ${rule} ${path.join('.')}`)
}
