import { type Command, InvalidArgumentError, Option } from 'commander'
import { configPath, environmentRegion } from '../src/config/environment.ts'
import { addCheckCommand } from './check-command.ts'
import { ignoreInspectorSignal } from './inspector.ts'

const { env } = process

/** Returns the option of every command that reads the configuration. */
export function configOption(): Option {
  return new Option('--config <file>', 'the configuration').env('JETON_CONFIG')
}

/** Adds the commands for operators, which read the configuration: docs/cli.md. */
export function addOperatorCommands(program: Command): void {
  program
    .command('serve')
    .description('run the server; with --dev one for development, without AWS')
    .addOption(configOption())
    .option('--host <host>', 'listen on this address instead of the configured one')
    .option(
      '--port <port>',
      'listen on this port instead of the configured one; 0 picks a free one',
      parsePort,
    )
    .option('--dev', 'for development: on loopback alone, with stand-ins for AWS and the issuers')
    .action(async ({ config, dev, ...listen }) => {
      // before anything else is loaded, which takes a while
      ignoreInspectorSignal()
      if (dev) {
        const { serveDev } = await import('./dev-server.ts')
        process.exitCode = await serveDev({ configPath: config && configPath(config, env), listen, env })
        return
      }
      const { serve } = await import('./server.ts')
      await serve({ configPath: configPath(config, env), listen, stdout: process.stdout })
      exitSoon()
    })

  addCheckCommand(program, { configOption: configOption(), exitSoon })

  program
    .command('explain')
    .description('show which grant a principal would get, or why each one refuses')
    .addOption(configOption())
    .requiredOption('--claims <file>', 'a JWT, or its claims as JSON; - for standard input')
    .option(
      '--issuer <name>',
      "the issuer's name in the configuration, if iss and aud do not identify it; apiKey for an API key",
    )
    .option('--database <name>', 'only for this database')
    .option('--user <name>', 'only for this database user')
    .option('--at <time>', 'at this time, like 2026-12-31T18:00:00Z: grants may begin and end (default: now)')
    .action(async ({ config, ...options }) => {
      const { explainCommand } = await import('../src/cli/explain.ts')
      process.exitCode = await explainCommand({ configPath: configPath(config, env), ...options }, process)
    })

  program
    .command('apikey')
    .description('create an API key: print it once, and the lines for the configuration')
    .argument('<name>')
    .action(async name => {
      const { apikeyCommand } = await import('../src/cli/apikey.ts')
      process.exitCode = apikeyCommand(name, process)
    })

  program
    .command('iam')
    .description("print the IAM policies of a database's role, or of jeton's own role")
    .argument('[database]', "the database whose role to print; without it, jeton's own role")
    .addOption(configOption())
    .option('--jeton-role <arn>', "the role or user that jeton runs as, which the database's role trusts")
    .option('--account <id>', 'the AWS account of the tables and the KMS key')
    .option('--region <region>', 'their region, if the configuration has none (default: AWS_REGION)')
    .option('--kms-key <arn>', 'the KMS key itself, if the configuration names it by an alias')
    .addOption(
      new Option(
        '--runs-on <service>',
        'what runs jeton (default: lambda; with DATABASE: any of them)',
      ).choices(['lambda', 'ecs', 'ec2', 'eks', 'anywhere']),
    )
    .option('--trust-anchor <arn>', "with --runs-on anywhere: the trust anchor of jeton's certificate")
    .addOption(
      new Option('--format <format>', 'the format to print')
        .choices(['json', 'cloudformation'])
        .default('json'),
    )
    .action(async (database, { config, ...options }) => {
      const { iamCommand } = await import('../src/cli/iam.ts')
      const environment = { configPath: configPath(config, env), environmentRegion: environmentRegion(env) }
      process.exitCode = await iamCommand({ ...environment, database, ...options }, process)
    })

  program
    .command('sql')
    .description("print the SQL that creates a database's accounts")
    .argument('<database>')
    .addOption(configOption())
    .option('--user <name>', 'only for this one of its configured users')
    .action(async (database, { config, ...options }) => {
      const { sqlCommand } = await import('../src/cli/sql.ts')
      process.exitCode = await sqlCommand(
        { configPath: configPath(config, env), database, ...options },
        process,
      )
    })

  program
    .command('lint-policy')
    .description('find what never works with RDS IAM authentication in IAM policies, and what is too broad')
    .argument('<file...>', 'policies, templates or plans, as JSON or YAML; - for standard input')
    .option('--config <file>', 'compare them with the databases of this configuration')
    .option('--strict', 'exit 1 for warnings too')
    .addOption(
      new Option('-o, --output <format>', 'the format to print').choices(['text', 'json']).default('text'),
    )
    .action(async (files, { config, ...options }) => {
      const { lintPolicyCommand } = await import('../src/cli/lint-policy.ts')
      const comparedConfig = config === undefined ? undefined : configPath(config, env)
      process.exitCode = await lintPolicyCommand({ files, configPath: comparedConfig, ...options }, process)
    })
}

/** Ends a command that is done although something does not answer, such as a program that is asked for credentials. */
function exitSoon(): void {
  setTimeout(() => process.exit(), 500).unref()
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('A port is a number up to 65535.')
  return port
}
