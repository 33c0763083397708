import { policiesIn } from '../../src/policy-lint/documents.ts'
import type { Finding } from '../../src/policy-lint/finding.ts'
import { lintStatements } from '../../src/policy-lint/lint.ts'
import { readPolicyText } from '../../src/policy-lint/read.ts'
import type { Statement } from '../../src/policy-lint/statement.ts'

/** The ARN of one user, as it has to be. */
export const USER = 'arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_ro'

/** A policy with one statement, which is right but for what is given. */
export function policy(statement: object = {}, document: object = {}): object {
  const sound = { Effect: 'Allow', Action: 'rds-db:connect', Resource: USER }
  return { Version: '2012-10-17', Statement: [{ ...sound, ...statement }], ...document }
}

export function statementsOf(text: string): Statement[] {
  const read = readPolicyText(text)
  if (!read.ok) throw new Error(read.problem)
  return policiesIn(read.value).flatMap(({ statements }) => statements)
}

export function lint(value: unknown): Finding[] {
  return lintStatements(statementsOf(typeof value === 'string' ? value : JSON.stringify(value)))
}

/** Severity, rule and path of each, as in `error resource Statement.0.Resource`. */
export function briefly(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, rule, path }) => `${severity} ${rule} ${path.join('.')}`)
}
