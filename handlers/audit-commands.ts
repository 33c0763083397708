import type { Command } from 'commander'
import { configPath } from '../src/config/environment.ts'
import { systemClock } from '../src/lib/clock.ts'
import { configOption } from './operator-commands.ts'
import { endProcess } from './process-end.ts'

/** Adds `jeton audit verify`, `jeton audit query` and `jeton audit forward`: docs/cli.md. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('work with audit logs').exitOverride()

  audit
    .command('verify')
    .description("check a log's hash chain")
    .argument('<file...>', 'the files of one log, oldest first, plain or gzip')
    .option('--expect-last <hash>', 'the hash of the last record, as the server states it in its own log')
    .option('--after <hash>', 'the hash of the record before the first, if older files are gone')
    .action(async (files, options) => {
      const { auditVerifyCommand } = await import('../src/cli/audit-verify.ts')
      process.exitCode = await auditVerifyCommand({ files, ...options }, process)
    })

  audit
    .command('query')
    .description(
      'search records in files, or without files in the table of the configuration, else in its file and those that it was rotated to',
    )
    .argument('[file...]', 'files of logs, in any order, plain or gzip')
    .addOption(configOption())
    .option(
      '--from <time>',
      'recorded at this time or later: ISO 8601 (without a zone, UTC), or how long ago: 30m, 2h, 7d; in the table, by default a day before the end',
    )
    .option('--to <time>', 'recorded before this time')
    .option('--principal <issuer/subject>', 'for this principal; the issuer by its name in the configuration')
    .option('--database <name>', 'for this database')
    .option('--user <name>', 'for this database user')
    .option('--decision <decision>', 'vended, listed, refused or failed')
    .option('--code <code>', 'with this error code, as callers see it')
    .option('--grant <name>', 'by this grant')
    .option('--fingerprint <hash>', 'the hex SHA-256 of a token, or the beginning of it')
    .option('--source-ip <address>', 'from this address or network, and counts of networks around it')
    .option(
      '--type <type>',
      'decision (of requests), lifecycle (starts, reloads and stops), or one of started, reloaded, reload_refused, stopped',
    )
    .option(
      '--identity <session>',
      "of tokens of this role session: its ARN, as CloudTrail and RDS's log have it, or its name",
    )
    .option('--id <id>', 'the id of the record, of its request or of its trace')
    .option(
      '--count-by <field>',
      'count records by principal, issuer, subject, grant, database, user, decision, code, reason, source, agent, instance, identity, cached, type, day, hour or minute (UTC), or by several with commas between them; the most first',
      (field: string, before: string[] = []) => [...before, field],
    )
    .option(
      '--limit <count>',
      'only the newest so many, or the rows with the most; 0 means all (default: 100)',
    )
    .option('--follow', 'go on and print what is recorded from then on, through rotations, until SIGINT')
    .option('--reverse', 'print the newest first; without it, the newest is last, as in a log')
    .option(
      '-o, --output <format>',
      'json (each record as it was recorded, on a line), table, csv or ocsf (an event for a SIEM) (default: table on a terminal, else json)',
    )
    .action(async (files, { config, ...options }) => {
      const { auditQueryCommand } = await import('../src/cli/audit-query.ts')
      const { stdout, stderr, env } = process
      const stop = new AbortController()
      if (options.follow)
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
      process.exitCode = await auditQueryCommand(
        { files, configPath: configPath(config, env), ...options },
        { stdout, stderr, clock: systemClock(), signal: stop.signal },
      )
    })

  audit
    .command('forward')
    .description(
      'send the records of a file, or of the table or file of the configuration, to a receiver over HTTP, until it is ended',
    )
    .argument('[file]', 'the file that jeton writes; those that it was rotated to are found beside it')
    .addOption(configOption())
    .option('--to <url>', 'where to: https, or http to this machine (default: JETON_FORWARD_URL)')
    .option(
      '--format <format>',
      'cloudevents (batches in JSON), ocsf or json (an event, or a record as it was recorded, on each line) (default: cloudevents)',
    )
    .option('--header-file <file>', 'headers, such as Authorization: the credential; one on each line')
    .option('--cursor <file>', 'how far it got; default: beside the file, of a table in the folder for state')
    .option('--from <time>', 'without a cursor: from this time on, as of audit query (default: from now on)')
    .option('--from-start', 'without a cursor: from the beginning of the oldest file on')
    .option('--batch <count>', 'at most so many records in a request (default: 500)')
    .option('--timeout <seconds>', 'how long a request may take (default: 10)')
    .option(
      '--skip <id>',
      'give up this record, which the receiver refuses; may be repeated',
      (id: string, ids: readonly string[] = []) => [...ids, id],
    )
    .option('--once', 'end when all that is there is sent')
    .option('--health <[address:]port>', 'answer /healthz, /readyz and /metrics there (default: nowhere)')
    .action(async (file, { config, ...options }) => {
      const { forwardCommand } = await import('../src/cli/forward/command.ts')
      const { stdout, stderr, env } = process
      const args = { file, configPath: configPath(config, env), ...options }
      const own = { stdout, stderr, env, fetch, clock: systemClock(), random: Math.random, host: process }
      endProcess(await forwardCommand(args, own))
    })
}
