import { lookup } from 'node:dns/promises'
import { type Command, Option } from 'commander'
import type { Config } from '../src/config/config.ts'
import { configPath } from '../src/config/environment.ts'
import { systemClock } from '../src/lib/clock.ts'

const { env } = process

export interface CheckCommandParts {
  configOption: Option
  /** Ends the process although something that was tried does not answer. */
  exitSoon(): void
}

/** Adds `jeton check`: docs/cli.md. */
export function addCheckCommand(program: Command, { configOption, exitSoon }: CheckCommandParts): void {
  program
    .command('check')
    .description('validate the configuration and report every problem')
    .addOption(configOption)
    .option('--strict', 'exit 1 for warnings too')
    .option('--live', 'also try what it names: AWS, issuers, store, audit log, clock')
    .option(
      '--against [file...]',
      'also compare with who got what by these audit files; without a file, by the log that the configuration names',
    )
    .option(
      '--since <time>',
      'with --against: recorded at this time or later, or how long ago: 12h, 7d (default: files whole, a log 7d)',
    )
    .addOption(
      new Option('-o, --output <format>', 'with --against: the format to print (default: table)').choices([
        'table',
        'json',
      ]),
    )
    .action(async ({ config, live, strict = false, against, since, output }, command) => {
      if (!against && (since ?? output) !== undefined)
        command.error('error: --since and --output are for --against', { exitCode: 2 })
      if (live && output === 'json')
        command.error('error: --live prints a table: use it without --output json', { exitCode: 2 })
      const { checkCommand } = await import('../src/cli/check.ts')
      const { stdout, stderr } = process
      const goAgainst =
        against && ((sound: Config) => compareLog(sound, { config, against, since, output, strict }))
      const goLive = live ? (sound: Config) => tryLive(sound, { isStrict: strict }) : undefined
      process.exitCode = await checkCommand(
        { configPath: configPath(config, env), strict, goLive, goAgainst, isQuiet: output === 'json', env },
        { stdout, stderr },
      )
      if (live) exitSoon()
    })
}

interface CheckAgainstOptions {
  config?: string
  /** True without a file. */
  against: string[] | true
  since?: string
  output?: string
  strict: boolean
}

async function compareLog(
  sound: Config,
  { config, against, ...options }: CheckAgainstOptions,
): Promise<number> {
  const { checkAgainst } = await import('../src/cli/check-against.ts')
  const files = against === true ? [] : against
  const width = process.stdout.isTTY ? process.stdout.columns : undefined
  return checkAgainst(
    sound,
    { configPath: configPath(config, env), files, clock: systemClock(), width, ...options },
    process,
  )
}

async function tryLive(config: Config, { isStrict }: { isStrict: boolean }): Promise<0 | 1> {
  const { liveCommand } = await import('../src/cli/live/command.ts')
  const { createEgressFetch } = await import('../src/lib/egress-fetch.ts')
  const { readEgressProxies } = await import('../src/lib/egress-proxies.ts')
  const { findProxy } = readEgressProxies(env)
  return liveCommand(config, {
    stdout: process.stdout,
    clock: systemClock(),
    fetch: createEgressFetch({ fetch: globalThis.fetch, findProxy }),
    lookUp: host => lookup(host),
    isStrict,
  })
}
