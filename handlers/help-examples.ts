import type { Command } from 'commander'

/** What each command's help ends with: a line that works, and what it is for. */
export const HELP_EXAMPLES: Readonly<Record<string, readonly [line: string, meaning: string]>> = {
  'jeton serve': [
    'jeton serve --config jeton.yaml --port 8443',
    'listen on another port than the configured one',
  ],
  'jeton check': [
    'jeton check --config new.yaml --against audit.jsonl --since 7d',
    "validate the file; who of last week's callers would lose access?",
  ],
  'jeton explain': [
    'jeton explain --claims claims.json --database orders --user migrator',
    'why does a job with these claims not get this user?',
  ],
  'jeton apikey': ['jeton apikey nightly-report', 'a key for a caller that has no JWT'],
  'jeton iam': [
    'jeton iam orders --jeton-role arn:aws:iam::123456789012:role/jeton',
    'the role of the database orders, for jeton to assume',
  ],
  'jeton sql': [
    'jeton sql orders --user app_ro | psql service=orders-master',
    'create one account as the master user',
  ],
  'jeton lint-policy': [
    'jeton lint-policy --config jeton.yaml policy.json',
    'does the policy allow the configured users, and no more?',
  ],
  'jeton audit verify': [
    'jeton audit verify audit.1.jsonl audit.jsonl',
    'one log in two files, the older first',
  ],
  'jeton audit query': [
    'jeton audit query --from 2h --decision refused',
    'who was refused in the last two hours?',
  ],
  'jeton audit forward': [
    'jeton audit forward --to https://collector.example.com/jeton --header-file receiver.headers',
    'every record from now on, with the credential in that file',
  ],
  'jeton token': ['jeton token orders --user migrator -o json', 'a token with all that belongs to it'],
  'jeton exec': ["jeton exec orders -- psql -c 'select current_user'", 'psql logs in, and checks the server'],
  'jeton proxy': [
    'jeton proxy orders --socket-dir /run/user/1000/orders',
    'psql -h /run/user/1000/orders DBNAME then logs in',
  ],
  'jeton agent': [
    'jeton agent orders --pgpass ~/.pgpass --service ~/.pg_service.conf',
    'psql service=orders logs in at any time',
  ],
  'jeton whoami': ['jeton whoami -o json', 'who does the server take this job for, and what may it have?'],
  'jeton doctor': ['jeton doctor orders --user migrator', 'does a login work from here, and if not, why?'],
  'jeton decode': [
    'jeton token orders | jeton decode --user migrator',
    'is it for this user, whole, and still good?',
  ],
  'jeton demo': ['jeton demo --once', 'one round, and an end'],
  'jeton completion': [
    'jeton completion bash > ~/.local/share/bash-completion/completions/jeton',
    'for every new bash, with the package bash-completion',
  ],
}

/** Ends the help of each command of a program with its example. */
export function addHelpExamples(command: Command, above = ''): void {
  const path = `${above} ${command.name()}`.trim()
  const [line, meaning] = HELP_EXAMPLES[path] ?? []
  if (line !== undefined) command.addHelpText('after', `\nExample: ${meaning}\n  ${line}`)
  for (const each of command.commands) addHelpExamples(each, path)
}
