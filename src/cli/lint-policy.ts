import { readFile } from 'node:fs/promises'
import { codeOf } from '../config/files.ts'
import { loadConfigAlone } from '../config/load.ts'
import { pathText } from '../config/problems.ts'
import { escapeText } from '../grants/show.ts'
import { strangerFindings, uncoveredFindings } from '../policy-lint/configured.ts'
import { policiesIn, TooDeep } from '../policy-lint/documents.ts'
import type { Finding } from '../policy-lint/finding.ts'
import { lintStatements } from '../policy-lint/lint.ts'
import { readPolicyText } from '../policy-lint/read.ts'
import type { Statement } from '../policy-lint/statement.ts'
import type { Output } from './check.ts'
import { orWrongUsage, WrongUsage } from './wrong-usage.ts'

export interface LintPolicyArguments {
  /** Paths, or `-` for standard input. */
  files: readonly string[]
  /** What the policies are compared with; nothing without it. */
  configPath?: string | undefined
  /** Warnings fail too. */
  strict?: boolean | undefined
  output: 'text' | 'json'
}

export interface LintPolicyWorld {
  out: Output
  err: Output
  stdin: AsyncIterable<Uint8Array | string>
}

type Told = Finding & { readonly file: string }

/**
 * `jeton lint-policy`: what in IAM policies never works with RDS IAM authentication, and what is too broad. Gives the exit
 * code: 1 where there is an error (or, when strict, a warning), 2 for wrong usage and for a file that cannot be read or holds
 * no policy, else 0. Throws `ConfigError`.
 */
export function lintPolicyCommand(
  { files, configPath, strict = false, output }: LintPolicyArguments,
  { out, err, stdin }: LintPolicyWorld,
): Promise<number> {
  return orWrongUsage(err, async () => {
    const databases = configPath === undefined ? [] : (await loadConfigAlone(configPath)).databases
    const told: Told[] = []
    const all: Statement[] = []
    for (const file of files) {
      const statements = await statementsOf(file, stdin)
      const findings = [
        ...lintStatements(statements),
        ...(configPath === undefined ? [] : strangerFindings(statements, databases)),
      ]
      told.push(...findings.map(finding => ({ ...finding, file })))
      all.push(...statements)
    }
    if (configPath !== undefined)
      told.push(...uncoveredFindings(all, databases).map(finding => ({ ...finding, file: configPath })))
    out.write(output === 'json' ? json(told) : text(told, all.length))
    return told.some(({ severity }) => strict || severity === 'error') ? 1 : 0
  })
}

async function statementsOf(file: string, stdin: LintPolicyWorld['stdin']): Promise<Statement[]> {
  const name = escapeText(file)
  const read = readPolicyText(await textOf(file, stdin))
  if (!read.ok) throw new WrongUsage(`${name} ${escapeText(read.problem)}`)
  try {
    const policies = policiesIn(read.value)
    if (policies.length === 0) throw new WrongUsage(`${name} holds no policy: nothing in it has a Statement`)
    return policies.flatMap(({ statements }) => statements)
  } catch (cause) {
    throw cause instanceof TooDeep ? new WrongUsage(`${name} ${cause.message}`) : cause
  }
}

async function textOf(file: string, stdin: LintPolicyWorld['stdin']): Promise<string> {
  if (file !== '-')
    return readFile(file, 'utf8').catch(cause => {
      throw new WrongUsage(`${escapeText(file)} cannot be read (${codeOf(cause)})`)
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
