import type { Environment } from '../../lib/process-input.ts'
import { devEnvironment } from '../environment.ts'
import type { Interruption } from '../interruption.ts'
import { createResources, type Resources } from '../resources.ts'
import { runProgram } from '../run-program.ts'
import { startDemoEnvironment } from './environment.ts'
import { startDemoServer } from './server.ts'
import { type StepParts, showExec, showRecord, showRefusals, showVend } from './steps.ts'
import { showCommands } from './try-it.ts'

export interface DemoOptions {
  /** Ends after one round. */
  isOnce: boolean
  /** The path of the command line, which the demo runs its server and its callers with. */
  cli: string
  env: Environment
  stdout: { write(text: string): unknown }
  interruption: Interruption
}

/**
 * Runs `jeton demo`, which shows the main job step by step, and returns its exit code. The server, HTTP, the JWTs and (if
 * installed) PostgreSQL are real; AWS STS and RDS's check of a token are stand-ins in this process. Whatever interrupts it,
 * it ends its children and removes its files. Rejects if a step fails.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { interruption } = options
  const resources = createResources()
  try {
    const shown = show(options, resources)
    // once interrupted, what its children are ended by fails
    shown.catch(() => {})
    const interrupted = interruption.exitCode.then(exitCode => ({ exitCode }))
    const result = await Promise.race([interrupted, shown])
    if ('exitCode' in result) return result.exitCode
    if (!options.isOnce) await Promise.race([interrupted, result.ended])
    return 0
  } finally {
    await resources.close()
  }
}

/** Shows all steps. Returns the server, which still runs. */
async function show(
  { isOnce, cli, env, stdout, interruption }: DemoOptions,
  resources: Resources,
): Promise<{ ended: Promise<unknown> }> {
  const { signal } = interruption
  const say = (line = '') => stdout.write(`${line}\n`)
  say('jeton: an RDS password for a caller that has no AWS credentials')
  say()
  const environment = await startDemoEnvironment(resources)
  const { configFile, folder, postgres } = environment
  const cleanEnv = devEnvironment(env, environment.sts)
  const server = await resources.start(
    () => startDemoServer({ cli, configFile, folder, env: cleanEnv }),
    each => each.close(),
  )
  say('stands in    AWS STS (issues role sessions, checks SigV4) and an OIDC issuer, both on loopback;')
  say("             RDS's check of a token: signature, expiry, endpoint, user and session policy")
  say(
    `real         jeton serve at ${server.url}, HTTP, signed JWTs, the audit log${'port' in postgres ? ',' : ''}`,
  )
  if ('port' in postgres) say('             PostgreSQL, which asks that check about each password')
  let steps = 0
  const run = (file: string, args: readonly string[], added: Record<string, string> = {}) =>
    runProgram({ file, args, signal, env: { ...cleanEnv, ...added } })
  const parts: StepParts = {
    environment,
    server,
    say,
    begin: title => say(`\n${++steps}  ${title}`),
    run,
    runJeton: (args, added) => run(process.execPath, [cli, ...args], added),
  }
  await showVend(parts)
  if ('port' in postgres) await showExec(postgres, parts)
  await showRefusals(parts)
  await showRecord(parts)
  if (!isOnce) await showCommands(parts, cli)
  return server
}
