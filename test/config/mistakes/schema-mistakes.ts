import { type Mistake, SOUND } from './mistake.ts'

/** Keys and values that no configuration has. */
export const SCHEMA_MISTAKES: readonly Mistake[] = [
  { title: 'a key is misspelled', change: [['resourceId: db-', 'resourceID: db-']] },
  { title: 'the key of a section is misspelled', change: [['databases:\n', 'database:\n']] },
  {
    title: 'the key of a section is misspelled, and another needs its names',
    change: [['issuers:\n', 'isuers:\n']],
  },
  { title: 'a key is unknown', change: [['    port: 5432\n', '    port: 5432\n    password: hunter2\n']] },
  {
    title: 'a key is missing',
    change: [['    roleArn: arn:aws:iam::123456789012:role/jeton-billing\n', '']],
  },
  { title: 'a section is missing', text: SOUND.replace(/^grants:\n(?: .*\n)*/m, '') },
  { title: 'an engine is misspelled', change: [['engine: postgres', 'engine: postgresql']] },
  { title: 'an engine is unknown', change: [['engine: postgres', 'engine: oracle']] },
  { title: 'the type of the store is unknown', change: [['type: dynamodb', 'type: redis']] },
  { title: 'the type of a sink is unknown', change: [['type: file', 'type: syslog']] },
  { title: 'a number is in quotes', change: [['port: 5432', 'port: "5432"']] },
  { title: 'a number is out of range', change: [['newTokensPerSecond: 8', 'newTokensPerSecond: 50']] },
  { title: 'text is not in quotes and so a number', change: [['subject: nightly-report', 'subject: 4711']] },
  { title: 'a list is text', change: [['users: [app_ro]', 'users: app_ro']] },
  { title: 'an audience is empty', change: [['audience: jeton', 'audience: [jeton, ""]']] },
  { title: 'an audience is there twice', change: [['audience: jeton', 'audience: [jeton, jeton]']] },
  {
    title: 'a mapping is a list',
    change: [
      ['  orders:\n    engine', '  - orders:\n    engine'],
      ['  billing:\n    engine', '  - billing:\n    engine'],
    ],
  },
  {
    title: 'a list is a mapping',
    change: [
      [
        'audit:\n  - type: stdout\n  - { type: file, path: audit.jsonl }',
        'audit:\n  type: file\n  path: audit.jsonl',
      ],
    ],
  },
  { title: 'a value is empty', change: [['audience: jeton', 'audience:']] },
  { title: 'a list is empty', change: [['users: [app_ro]', 'users: []']] },
  {
    title: 'what belongs below a key stands beside it',
    change: [['      issuer: github\n      claims:', '    issuer: github\n    claims:']],
  },
  {
    title: 'what belongs beside a key stands below it',
    change: [
      ['    database: billing\n    users: [billing_ro', '      database: billing\n      users: [billing_ro'],
    ],
  },
  {
    title: 'a name has an underscore where none may be',
    change: [
      ['  billing:\n', '  billing_db:\n'],
      ['database: billing\n', 'database: billing_db\n'],
    ],
  },
  { title: 'a claim is empty', change: [['ref: [refs/heads/main, "refs/tags/v*"]', 'ref:']] },
  { title: 'anyone is text', change: [['subject: "system:serviceaccount:billing:*"', 'anyone: yes']] },
]
