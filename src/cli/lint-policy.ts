import { readFile } from 'node:fs/promises'
import { loadStaticConfig } from '../config/load.ts'
import { pathText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import { missingUserFindings, unknownResourceFindings } from '../iam/lint/configured.ts'
import { NestedTooDeep, policiesIn } from '../iam/lint/documents.ts'
import type { LintFinding } from '../iam/lint/finding.ts'
import { lintStatements } from '../iam/lint/lint.ts'
import { parsePolicyFile } from '../iam/lint/parse.ts'
import type { LintedStatement } from '../iam/lint/statement.ts'
import { countText } from '../lib/count-text.ts'
import { escapeText, printableJson } from '../lib/printable.ts'
import { readText } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { placeholderNotes } from './iam-placeholders.ts'
import type { CommandStreams } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface LintPolicyArguments {
  /** Paths, or `-` for standard input. */
  files: readonly string[]
  /** The configuration to compare the policies with; without it, nothing is compared. */
  configPath?: string | undefined
  /** Whether warnings fail too. */
  strict?: boolean | undefined
  output: 'text' | 'json'
}

type FileFinding = LintFinding & { readonly file: string }

/**
 * `jeton lint-policy`: prints what never works with RDS IAM authentication in IAM policies, and what is too broad; on stderr
 * also which of `jeton iam`'s placeholders are still there. Returns
 * the exit code: 1 if there is an error (or, with `strict`, a warning), 2 for a usage error and for a file that cannot be
 * read or has no policy in it, else 0. Throws `ConfigError`.
 */
export function lintPolicyCommand(
  { files, configPath, strict = false, output }: LintPolicyArguments,
  { stdin, stdout, stderr }: CommandStreams,
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const databases = configPath === undefined ? [] : (await loadStaticConfig(configPath)).databases
    const findings: FileFinding[] = []
    const allStatements: LintedStatement[] = []
    for (const file of files) {
      const text = await readPolicyFile(file, stdin)
      const statements = statementsOf(file, text)
      for (const note of placeholderNotes(text)) stderr.write(`note: ${escapeText(file)}: ${note}\n`)
      const fileFindings = [
        ...lintStatements(statements),
        ...(configPath === undefined ? [] : unknownResourceFindings(statements, databases)),
      ]
      findings.push(...fileFindings.map(finding => ({ ...finding, file })))
      allStatements.push(...statements)
    }
    if (configPath !== undefined) {
      const missing = missingUserFindings(allStatements, databases)
      findings.push(...missing.map(finding => ({ ...finding, file: configPath })))
    }
    stdout.write(output === 'json' ? findingsJson(findings) : findingsText(findings, allStatements.length))
    return findings.some(({ severity }) => strict || severity === 'error') ? 1 : 0
  })
}

function statementsOf(file: string, text: string): LintedStatement[] {
  const name = escapeText(file)
  const parsed = parsePolicyFile(text)
  if (!parsed.ok) throw new UsageError(`${name} ${escapeText(parsed.problem)}`)
  try {
    const policies = policiesIn(parsed.value)
    if (policies.length === 0)
      throw new UsageError(`${name} contains no policy: nothing in it has a Statement`)
    return policies.flatMap(({ statements }) => statements)
  } catch (cause) {
    throw cause instanceof NestedTooDeep ? new UsageError(`${name} ${cause.message}`) : cause
  }
}

async function readPolicyFile(file: string, stdin: CommandStreams['stdin']): Promise<string> {
  if (file === '-') return readText(stdin)
  return readFile(file, 'utf8').catch(cause => {
    throw new UsageError(`${escapeText(file)} cannot be read${systemCodeNote(cause)}`)
  })
}

function findingsText(findings: readonly FileFinding[], statementCount: number): string {
  if (findings.length === 0) return `ok: ${countText(statementCount, 'statement')}\n`
  return findings
    .map(({ file, path, severity, message, rule }) =>
      [escapeText(file), pathText(path), severity, `${escapeText(message)} (${rule})\n`].join(': '),
    )
    .join('')
}

function findingsJson(findings: readonly FileFinding[]): string {
  const shown = findings.map(({ file, severity, rule, path, message }) => ({
    file,
    severity,
    rule,
    path: pathText(path),
    message,
  }))
  return `${printableJson({ findings: shown }, 2)}\n`
}
