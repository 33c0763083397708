#!/usr/bin/env node
import { lookup } from 'node:dns/promises'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { configPath, environmentRegion } from '../src/config/environment.ts'
import { ConfigError, describeProblem } from '../src/config/problems.ts'
import { systemClock } from '../src/lib/clock.ts'

/** Wrong words on the command line. */
const WRONG_USAGE = 2
/** What `jeton exec` gives for every failure of its own, so that the command's own codes can be told from it. */
const EXEC_FAILED = 125

const { argv, env, stdin, stdout, stderr } = process
const console = { out: stdout, err: stderr }
const world = { env, stdin, stdout, stderr, lookup, fetch: globalThis.fetch, clock: systemClock() }

/** Commands load what they need when they run: a caller's `jeton exec` starts without the server's half. */
const program = new Command('jeton')
  .description(
    'vends Amazon RDS IAM database authentication tokens to workloads that hold no AWS credentials',
  )
  .version(manifest.version)
  .enablePositionalOptions()
  .exitOverride()

const config = () => new Option('--config <file>', 'the configuration').env('JETON_CONFIG')

program
  .command('serve')
  .description('run the server')
  .addOption(config())
  .option('--host <host>', 'listen here instead')
  .option('--port <port>', 'listen here instead; 0 picks a free one', portOf)
  .action(async ({ config, ...listen }) => {
    const { serve } = await import('./server.ts')
    await serve({ configPath: configPath(config, env), listen, stdout })
  })

program
  .command('check')
  .description('validate the configuration and report every problem')
  .addOption(config())
  .action(async ({ config }) => {
    const { checkCommand } = await import('../src/cli/check.ts')
    process.exitCode = await checkCommand(configPath(config, env), console)
  })

program
  .command('explain')
  .description('which grant a principal would get, or why each one refuses')
  .addOption(config())
  .requiredOption('--claims <file>', 'the claims of a JWT as JSON, or - for standard input')
  .option(
    '--issuer <name>',
    "the issuer's name in the configuration, where iss and aud do not tell; apiKey for a key",
  )
  .option('--database <name>', 'this database alone')
  .option('--user <name>', 'this database user alone')
  .action(async ({ config, ...ask }) => {
    const { explainCommand } = await import('../src/cli/explain.ts')
    process.exitCode = await explainCommand(
      { configPath: configPath(config, env), ...ask },
      { ...console, stdin },
    )
  })

program
  .command('apikey')
  .description('make an API key: prints it once, and the line for the configuration')
  .argument('<name>')
  .action(async name => {
    const { apikeyCommand } = await import('../src/cli/apikey.ts')
    process.exitCode = apikeyCommand(name, console)
  })

program
  .command('iam')
  .description("the IAM policies of a database's role, or of jeton's own role")
  .argument('[database]', "the database whose role it is; jeton's own role without it")
  .addOption(config())
  .option('--jeton-role <arn>', "the role or user that jeton runs as, which the database's role is to trust")
  .option('--account <id>', 'the AWS account of tables and KMS key')
  .option('--region <region>', 'where they are, if the configuration does not say (default: AWS_REGION)')
  .option('--kms-key <arn>', 'the KMS key itself, where the configuration names it by an alias')
  .addOption(
    new Option('--runs-on <service>', 'what runs jeton (default: lambda)').choices(['lambda', 'ecs', 'ec2']),
  )
  .addOption(
    new Option('--format <format>', 'how it is printed').choices(['json', 'cloudformation']).default('json'),
  )
  .action(async (database, { config, ...options }) => {
    const { iamCommand } = await import('../src/cli/iam.ts')
    const where = { configPath: configPath(config, env), environmentRegion: environmentRegion(env) }
    process.exitCode = await iamCommand({ ...where, database, ...options }, console)
  })

program
  .command('sql')
  .description("the SQL that makes a database's accounts")
  .argument('<database>')
  .addOption(config())
  .option('--user <name>', 'this one of its configured users alone')
  .action(async (database, { config, ...options }) => {
    const { sqlCommand } = await import('../src/cli/sql.ts')
    process.exitCode = await sqlCommand(
      { configPath: configPath(config, env), database, ...options },
      console,
    )
  })

program
  .command('lint-policy')
  .description('find in IAM policies what never works with RDS IAM authentication, and what is too broad')
  .argument('<file...>', 'policies, templates or plans, as JSON or YAML; - for standard input')
  .option('--config <file>', 'compare them with the databases of this configuration')
  .option('--strict', 'exit 1 for warnings too')
  .addOption(
    new Option('-o, --output <form>', 'how findings are printed').choices(['text', 'json']).default('text'),
  )
  .action(async (files, { config, ...options }) => {
    const { lintPolicyCommand } = await import('../src/cli/lint-policy.ts')
    const compared = config === undefined ? undefined : configPath(config, env)
    process.exitCode = await lintPolicyCommand(
      { files, configPath: compared, ...options },
      { ...console, stdin },
    )
  })

const audit = program.command('audit').description('work with audit logs').exitOverride()
audit
  .command('verify')
  .description("check a log's hash chain")
  .argument('<file...>', 'the files of one log, oldest first')
  .option('--expect-last <hash>', 'the hash of the last record, as the server states it in its own log')
  .option('--after <hash>', 'the hash of the record before the first, where older files are gone')
  .action(async (files, options) => {
    const { auditVerify } = await import('../src/cli/audit-verify.ts')
    process.exitCode = await auditVerify({ files, ...options, ...console })
  })
audit
  .command('query')
  .description('search records: in files, or else in the DynamoDB table of the configuration')
  .argument('[file...]', 'files of logs, in any order; compressed ones have to be unpacked')
  .addOption(config())
  .option(
    '--from <time>',
    'recorded at this time or later: ISO 8601 (UTC, without a zone), or how long ago: 30m, 2h, 7d; for the table, a day before the end unless given',
  )
  .option('--to <time>', 'recorded before this time')
  .option('--principal <issuer/subject>', 'for whom; the issuer by its name in the configuration')
  .option('--database <name>', 'for which database')
  .option('--user <name>', 'for which database user')
  .option('--decision <decision>', 'vended, refused or failed')
  .option('--code <code>', "the error's code, as callers get it")
  .option('--grant <name>', 'by which grant')
  .option('--fingerprint <hash>', 'the hex SHA-256 of a token, or the beginning of it')
  .option('--source-ip <address>', 'from where')
  .option('--id <id>', "the record's id, or the request's")
  .option('--limit <count>', 'the newest so many; 0 means all (default: 100)')
  .option('--reverse', 'newest first; without it newest last, as a log reads')
  .option(
    '-o, --output <form>',
    'json (records as they were recorded, a line each) or table (default: table on a terminal, else json)',
  )
  .action(async (files, { config, ...options }) => {
    const { auditQuery } = await import('../src/cli/audit-query.ts')
    process.exitCode = await auditQuery(
      { files, configPath: configPath(config, env), ...options },
      { ...console, clock: world.clock },
    )
  })

const callers = (command: Command) =>
  command
    .option('--user <name>', 'the database user; may be left out where only one is granted')
    .option('--url <url>', 'the server (default: JETON_URL)')
    .option(
      '--jwt <file>',
      'a file with the JWT, or - for standard input (default: JETON_JWT, JETON_JWT_FILE, JETON_API_KEY, or GitHub Actions’ own)',
    )
    .option('--wait <seconds>', 'go on asking for so long while the server says to come back later')

callers(program.command('token'))
  .description('ask a server for a token')
  .argument('<database>')
  .option('-o, --output <form>', 'token, json or env')
  .option('--ca-file <file>', 'write the CA bundle there')
  .action(async (database, options) => {
    const { tokenCommand } = await import('../src/cli/token.ts')
    process.exitCode = await tokenCommand({ database, ...options }, world)
  })

callers(program.command('exec'))
  .description(
    'run a command that can log in to the database; it sees this environment but for JETON_JWT and JETON_API_KEY',
  )
  .usage('<database> [options] -- <command...>')
  .argument('<database>')
  .argument('<command...>')
  .option('--ca <file>', 'verify the database by this CA bundle instead')
  .action(async (database, command, options) => {
    const { execCommand } = await import('../src/cli/exec.ts')
    process.exitCode = await execCommand({ database, command, ...options }, { ...world, host: process })
  })

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number up to 65535')
  return port
}

try {
  await program.parseAsync(argv)
} catch (cause) {
  process.exitCode = exitCodeOf(cause)
}

function exitCodeOf(cause: unknown): number {
  if (cause instanceof CommanderError)
    return cause.exitCode === 0 ? 0 : argv[2] === 'exec' ? EXEC_FAILED : WRONG_USAGE
  if (cause instanceof ConfigError)
    for (const problem of cause.problems) stderr.write(`${describeProblem(problem)}\n`)
  else stderr.write(`jeton: ${cause instanceof Error ? cause.message : 'failed'}\n`)
  return 1
}
