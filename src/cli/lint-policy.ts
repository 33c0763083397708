import { readFile } from 'node:fs/promises'
import { loadStaticConfig } from '../config/load.ts'
import { pathText } from '../config/problems.ts'
import { missingUserFindings, unknownResourceFindings } from '../iam/lint/configured.ts'
import { policiesIn, TooDeep } from '../iam/lint/documents.ts'
import type { LintFinding } from '../iam/lint/finding.ts'
import { lintStatements } from '../iam/lint/lint.ts'
import { readPolicyText } from '../iam/lint/read.ts'
import type { LintedStatement } from '../iam/lint/statement.ts'
import { escapeText } from '../lib/printable.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import type { Output } from './check.ts'
import { catchUsageErrors, UsageError } from './usage-error.ts'

export interface LintPolicyArguments {
  /** Paths, or `-` for standard input. */
  files: readonly string[]
  /** What the policies are compared with; nothing without it. */
  configPath?: string | undefined
  /** Warnings fail too. */
  strict?: boolean | undefined
  output: 'text' | 'json'
}

export interface LintPolicyStreams {
  out: Output
  err: Output
  stdin: AsyncIterable<Uint8Array | string>
}

type Told = LintFinding & { readonly file: string }

/**
 * `jeton lint-policy`: what in IAM policies never works with RDS IAM authentication, and what is too broad. Gives the exit
 * code: 1 where there is an error (or, when strict, a warning), 2 for wrong usage and for a file that cannot be read or holds
 * no policy, else 0. Throws `ConfigError`.
 */
export function lintPolicyCommand(
  { files, configPath, strict = false, output }: LintPolicyArguments,
  { out, err, stdin }: LintPolicyStreams,
): Promise<number> {
  return catchUsageErrors(err, async () => {
    const databases = configPath === undefined ? [] : (await loadStaticConfig(configPath)).databases
    const told: Told[] = []
    const all: LintedStatement[] = []
    for (const file of files) {
      const statements = await statementsOf(file, stdin)
      const findings = [
        ...lintStatements(statements),
        ...(configPath === undefined ? [] : unknownResourceFindings(statements, databases)),
      ]
      told.push(...findings.map(finding => ({ ...finding, file })))
      all.push(...statements)
    }
    if (configPath !== undefined)
      told.push(...missingUserFindings(all, databases).map(finding => ({ ...finding, file: configPath })))
    out.write(output === 'json' ? json(told) : text(told, all.length))
    return told.some(({ severity }) => strict || severity === 'error') ? 1 : 0
  })
}

async function statementsOf(file: string, stdin: LintPolicyStreams['stdin']): Promise<LintedStatement[]> {
  const name = escapeText(file)
  const read = readPolicyText(await textOf(file, stdin))
  if (!read.ok) throw new UsageError(`${name} ${escapeText(read.problem)}`)
  try {
    const policies = policiesIn(read.value)
    if (policies.length === 0) throw new UsageError(`${name} holds no policy: nothing in it has a Statement`)
    return policies.flatMap(({ statements }) => statements)
  } catch (cause) {
    throw cause instanceof TooDeep ? new UsageError(`${name} ${cause.message}`) : cause
  }
}

async function textOf(file: string, stdin: LintPolicyStreams['stdin']): Promise<string> {
  if (file !== '-')
    return readFile(file, 'utf8').catch(cause => {
      throw new UsageError(`${escapeText(file)} cannot be read${systemCodeNote(cause)}`)
    })
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

function text(told: readonly Told[], statements: number): string {
  if (told.length === 0) return `ok: ${statements} statement${statements === 1 ? '' : 's'}\n`
  return told
    .map(({ file, path, severity, message, rule }) =>
      [escapeText(file), pathText(path), severity, `${escapeText(message)} (${rule})\n`].join(': '),
    )
    .join('')
}

/** Within its texts, what turns writing round or moves a terminal is escaped, as JSON may. */
function json(told: readonly Told[]): string {
  const findings = told.map(({ file, severity, rule, path, message }) => ({
    file,
    severity,
    rule,
    path: pathText(path),
    message,
  }))
  const plain = JSON.stringify({ findings }, null, 2)
  return `${plain.replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, escapeText)}\n`
}
