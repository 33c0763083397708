import type { Command } from 'commander'
import { createCallerContext } from './caller-context.ts'
import { endOnSignals, endProcess } from './process-end.ts'

/**
 * Adds the commands for callers, which request a token from a server: docs/cli.md#for-callers. `execCommandLine` is what stands
 * after the `--` of a `jeton exec`, if there is one.
 */
export function addCallerCommands(
  program: Command,
  { execCommandLine }: { execCommandLine: readonly string[] | undefined },
): void {
  const context = createCallerContext()

  addCallerOptions(program.command('token'))
    .description('request a token from a server')
    .argument('<database>')
    .option(
      '-o, --output <form>',
      'token, json, env, pgpass, mycnf, service, uri, jdbc, external, dotenv or userlist (default: token)',
    )
    .option('--ca-file <file>', 'write the CA bundle to this file')
    .option('--ca <file>', 'refer to this CA bundle instead of the server’s')
    .action(async (database, options) => {
      const { tokenCommand } = await import('../src/cli/token.ts')
      endProcess(await tokenCommand({ database, ...options }, context))
    })

  addCallerOptions(program.command('exec'), '0, with --proxy 10')
    .description(
      'run a command that can log in to the database; it sees this environment without your credentials',
    )
    .usage('<database> [options] -- <command...>')
    .argument('[database]')
    .argument('[command...]')
    // without `--`, the options may be the command's: execCommand then says that it is missing
    .allowUnknownOption(execCommandLine === undefined)
    .option('--ca <file>', 'verify the database with this CA bundle instead of the server’s')
    .option(
      '--url-as <name>',
      'set this variable to the URL too; NAME:jdbc for a JDBC URL; may be repeated',
      (name: string, names: readonly string[] = []) => [...names, name],
    )
    .option('--proxy', 'log the command in for as long as it runs, through a private socket: docs/proxy.md')
    .option(
      '--proxy-port <number>',
      'the same through this port of 127.0.0.1, which every local user may use; 0 for any',
    )
    .action(async (database, extraWords, options) => {
      const { execCommand } = await import('../src/cli/exec.ts')
      const words = { database, extraWords, command: execCommandLine }
      endProcess(await execCommand({ ...words, ...options }, { ...context, host: process }))
    })

  addCallerOptions(program.command('proxy'), '10')
    .description('log local programs in to databases, on a socket of this user alone, until it is ended')
    .argument('<database...>', 'NAME or NAME:PORT')
    .option('--socket-dir <folder>', 'the folder of the sockets (default: one of your own for each database)')
    .option(
      '--port <number>',
      'listen on this port of 127.0.0.1 instead, and on the next ones for the others',
    )
    .option('--ca <file>', 'verify the databases with this CA bundle instead of the server’s')
    .option('--max-connections <number>', 'how many clients there may be (default: 1000)')
    .option('--drain <seconds>', 'how long sessions may go on after SIGTERM (default: 30)')
    .option('--health <[address:]port>', 'answer /healthz, /readyz and /metrics there (default: nowhere)')
    .option('--no-application-name', 'add no name of yours to sessions that have none')
    .action(async (databases, options) => {
      const { proxyCommand } = await import('../src/cli/proxy.ts')
      endProcess(await proxyCommand({ databases, ...options }, { ...context, host: process }))
    })

  addCallerOptions(program.command('agent'), '10')
    .description('keep files with logins fresh, for programs that read their password from a file')
    .argument('<database...>', 'NAME or NAME:USER')
    .option(
      '--pgpass <file>',
      'a password file of PostgreSQL’s clients; lines of others stay, as in the next four',
    )
    .option('--service <file>', 'a pg_service.conf, without the password')
    .option('--mycnf <file>', 'an option file of MySQL’s and MariaDB’s clients')
    .option('--dotenv <file>', 'a .env file')
    .option('--userlist <file>', 'PgBouncer’s auth_file')
    .option('--json <file>', 'the whole login, or one member for each')
    .option('--ca <file>', 'the CA bundle that the others refer to (default: one beside each file)')
    .option('--on-change <command>', 'run this command of the shell when files have changed')
    .option('--signal <name>', 'send this signal to the program of --pid-file when files have changed')
    .option('--pid-file <file>', 'the process id of that program')
    .option('--health <[address:]port>', 'answer /healthz, /readyz and /metrics there (default: nowhere)')
    .option('--once', 'write all files once, and end: the exit code tells')
    .action(async (databases, options) => {
      const { agentCommand } = await import('../src/cli/agent.ts')
      endProcess(await agentCommand({ databases, ...options }, { ...context, host: process }))
    })

  addServerOptions(program.command('whoami'))
    .description('say whom the server takes you for, what you may have tokens for, and how that was found')
    .option('-o, --output <format>', 'text or json (default: text)')
    .action(async options => {
      const { whoamiCommand } = await import('../src/cli/whoami.ts')
      endProcess(await whoamiCommand(options, context))
    })

  addCallerOptions(program.command('doctor'))
    .description('find out, step by step, why the database refuses a login')
    .argument('<database>')
    .option('--ca <file>', 'verify the database with this CA bundle instead of the server’s')
    .option('--timeout <seconds>', 'how long each step on the way to the database may take (default: 10)')
    .option('-o, --output <format>', 'text or json (default: text)')
    .action(async (database, options) => {
      const { doctorCommand } = await import('../src/cli/doctor/command.ts')
      endProcess(await doctorCommand({ database, ...options }, context))
    })

  program
    .command('decode')
    .description('show what a token says and what is wrong with it, without asking any server')
    .argument(
      '[token]',
      'the token, or - for standard input, which is the default: an argument is seen by whoever lists processes',
    )
    .option('--user <name>', 'the database user that it should be for')
    .option('--host <host>', 'the endpoint that it should be for: HOST or HOST:PORT')
    .option('-o, --output <format>', 'text or json (default: text)')
    .action(async (token, options) => {
      const { decodeCommand } = await import('../src/cli/decode.ts')
      endProcess(await decodeCommand({ token, ...options }, context))
    })
}

function addCallerOptions(command: Command, defaultWait?: string): Command {
  return addServerOptions(
    command.option('--user <name>', 'the database user; may be left out if only one is granted'),
    defaultWait,
  )
}

function addServerOptions(command: Command, defaultWait = '0'): Command {
  return command
    .option('--url <url>', 'the server (default: JETON_URL)')
    .option(
      '--jwt <file>',
      'a file with the JWT, or - for standard input (default: JETON_JWT, JETON_JWT_FILE, JETON_API_KEY, or what the platform says: docs/connect/who-am-i.md)',
    )
    .option(
      '--wait <seconds>',
      `keep trying for so long while the server is busy or cannot be reached (default: ${defaultWait})`,
    )
    .option(
      '--server-ca <file>',
      'trust the CA certificates in this file too, for a server with a private CA (default: JETON_CACERT)',
    )
    .hook('preAction', endOnSignals)
    .showHelpAfterError(`jeton ${command.name()} --help shows how it is called`)
}
