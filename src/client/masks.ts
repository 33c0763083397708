import type { Clock } from '../lib/clock.ts'
import type { Environment } from '../lib/process-input.ts'
import { percentEncode } from './forms/percent-encoding.ts'
import { escapePgpass } from './forms/pgpass.ts'

export interface JobLog {
  env: Environment
  stderr: { write(text: string): unknown }
  clock: Clock
}

/** What a runner needs to read a line of stderr before a line of stdout that is written later. */
const RUNNER_MS = 100

/**
 * Makes GitHub Actions or Azure Pipelines replace a token in the log of the job by `***`, in every form that jeton writes; does
 * nothing elsewhere. Settles when the runner has had time to read it. The commands go to stderr, which runners read as stdout,
 * because a script captures stdout. GitLab has no such command: a runner without it would print the token.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log
 * https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands#setsecret-register-a-value-as-a-secret
 */
export async function maskInJobLog(token: string, { env, stderr, clock }: JobLog): Promise<void> {
  const commands = maskCommands(token, env)
  if (commands === '') return
  stderr.write(commands)
  await clock.sleep(RUNNER_MS)
}

/** Returns the lines that the job's runner understands; none if this is no job of such a runner. */
export function maskCommands(token: string, env: Environment): string {
  if (env.GITHUB_ACTIONS === 'true') return formsOf(token).map(githubMask).join('')
  if (env.TF_BUILD?.toLowerCase() === 'true') return formsOf(token).map(azureMask).join('')
  return ''
}

/**
 * Whatever encoding others choose, the signature stays as it is: hex digits. Without it, a token is worth nothing. It comes first,
 * because an agent that debugs prints each command that it has obeyed, in which the token is encoded.
 */
function formsOf(token: string): string[] {
  const signature = /[?&]X-Amz-Signature=([^&]+)/.exec(token)?.[1]
  return [...new Set([...(signature ? [signature] : []), token, percentEncode(token), escapePgpass(token)])]
}

function githubMask(secret: string): string {
  return `::add-mask::${secret.replaceAll('%', '%25')}\n`
}

/** Agents from before 2021, and those with DECODE_PERCENTS=false, do not decode: for them the text stands there as it is too. */
function azureMask(secret: string): string {
  return [...new Set([secret.replaceAll('%', '%AZP25'), secret])]
    .map(text => `##vso[task.setsecret]${text}\n`)
    .join('')
}
