import { randomBytes } from 'node:crypto'
import { jwksText, privateJwk, tlsFiles } from '../support.ts'
import { DOUBTFUL_MISTAKES, IMPOSSIBLE_MISTAKES } from './impossible-mistakes.ts'
import type { Mistake } from './mistake.ts'
import { SCHEMA_MISTAKES } from './schema-mistakes.ts'
import { SECRET_MISTAKES } from './secret-mistakes.ts'
import { YAML_MISTAKES } from './yaml-mistakes.ts'

/** What operators get wrong. A new one is an entry in one of these lists, and its output a block in `mistakes.txt`. */
export const MISTAKES: readonly Mistake[] = [
  { title: 'nothing is wrong' },
  ...YAML_MISTAKES,
  ...SCHEMA_MISTAKES,
  ...names(),
  ...values(),
  ...files(),
  ...doubts(),
  ...IMPOSSIBLE_MISTAKES,
  ...DOUBTFUL_MISTAKES,
  ...SECRET_MISTAKES,
]

function names(): Mistake[] {
  return [
    {
      title: 'a grant names an issuer that is not there',
      change: [['issuer: github\n', 'issuer: gitlab\n']],
    },
    { title: 'a grant misspells its issuer', change: [['issuer: cluster\n', 'issuer: clsuter\n']] },
    { title: 'a grant misspells its database', change: [['database: billing\n', 'database: biling\n']] },
    { title: 'a grant misspells a user', change: [['[billing_ro, billing_rw]', '[billing_ro, billing-rw]']] },
    {
      title: 'a grant names a user of another database',
      change: [['users: [app_ro]', 'users: [billing_ro]']],
    },
    {
      title: 'a grant misspells an API key',
      change: [['subject: nightly-report', 'subject: nightly-rapport']],
    },
    { title: 'apiKey is misspelled', change: [['issuer: apiKey', 'issuer: apikeys']] },
    { title: 'two grants have one name', change: [['name: orders-report', 'name: orders-deploy']] },
  ]
}

function values(): Mistake[] {
  return [
    {
      title: 'the server listens everywhere without TLS',
      change: [
        ['host: 127.0.0.1', 'host: 0.0.0.0'],
        ['  tls: { cert: server.pem, key: server-key.pem }\n', ''],
      ],
    },
    {
      title: 'the console listens everywhere, without TLS and operators',
      change: [['admin: { port: 9464 }', 'admin: { host: 0.0.0.0, port: 9464, console: true }']],
    },
    { title: 'both listeners have one port', change: [['{ port: 9464 }', '{ port: 8080 }']] },
    {
      title: 'an issuer is no https URL',
      change: [['https://login.example.com', 'http://login.example.com']],
    },
    { title: 'an issuer that jeton does not know has no tenancy', change: [['    tenancy: private\n', '']] },
    {
      title: 'an IP address is the host',
      change: [['host: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com', 'host: 10.1.2.3']],
    },
    {
      title: "a name of one's own is the host",
      change: [['host: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com', 'host: orders.db.example.com']],
    },
    { title: 'a cluster has the id of an instance', change: [['resourceId: cluster-', 'resourceId: db-']] },
    {
      title: 'the name of a role is its ARN',
      change: [['roleArn: arn:aws:iam::123456789012:role/jeton-billing', 'roleArn: jeton-billing']],
    },
    {
      title: 'the role is in another partition',
      change: [
        ['arn:aws:iam::123456789012:role/jeton-billing', 'arn:aws-cn:iam::123456789012:role/jeton-billing'],
      ],
    },
    {
      title: 'a user is a pattern',
      change: [['      - billing_rw\n', '      - billing_rw\n      - "billing_*"\n']],
    },
    {
      title: 'a user is listed twice',
      change: [['      - billing_rw\n', '      - billing_rw\n      - billing_ro\n']],
    },
    {
      title: 'a grant names nobody',
      change: [['subject: "system:serviceaccount:billing:*"', 'subject: "**"']],
    },
    {
      title: 'a grant ends before it begins',
      change: [
        [
          '    users: [app_ro]\n',
          '    users: [app_ro]\n    notBefore: 2026-12-31T18:00:00Z\n    notAfter: 2026-12-01T18:00:00Z\n',
        ],
      ],
    },
    {
      title: 'the end of a grant has no time zone',
      change: [['    users: [app_ro]\n', '    users: [app_ro]\n    notAfter: 2999-12-31 18:00:00\n']],
    },
    {
      title: 'a grant has ended',
      change: [['    users: [app_ro]\n', '    users: [app_ro]\n    notAfter: 2020-12-31T18:00:00Z\n']],
    },
    { title: 'a grant does not pin an owner', change: [['        repository_id: 123456\n', '']] },
    {
      title: 'an API key has claims',
      change: [
        [
          '{ issuer: apiKey, subject: nightly-report }',
          '{ issuer: apiKey, claims: { sub: nightly-report } }',
        ],
      ],
    },
    {
      title: 'a table is named by its ARN',
      change: [['table: jeton\n', 'table: arn:aws:dynamodb:us-east-1:123456789012:table/jeton\n']],
    },
    { title: 'the store in memory has a table', change: [['type: dynamodb', 'type: memory']] },
    { title: 'the store has no encryption', change: [['  encryption: { keyFile: store.key }\n', '']] },
    {
      title: 'a sink of type file has no path',
      change: [['{ type: file, path: audit.jsonl }', '{ type: file }']],
    },
    { title: 'a sink is there twice', change: [['{ type: file, path: audit.jsonl }', '{ type: stdout }']] },
  ]
}

function files(): Mistake[] {
  return [
    { title: 'the key set is missing', files: { 'cluster-jwks.json': undefined } },
    { title: 'the key set is not JSON', files: { 'cluster-jwks.json': '-----BEGIN PUBLIC KEY-----\n' } },
    { title: 'the key set has a private key', files: { 'cluster-jwks.json': jwksText([privateJwk()]) } },
    { title: 'the certificate is missing', files: { 'server.pem': undefined } },
    {
      title: 'the key belongs to another certificate',
      files: { 'server-key.pem': tlsFiles()['server-key.pem'] },
    },
    {
      title: 'the certificate stands in the place of the key',
      change: [['key: server-key.pem', 'key: server.pem']],
    },
    {
      title: 'the key file of the store has a key in hex',
      files: { 'store.key': randomBytes(32).toString('hex') },
    },
  ]
}

function doubts(): Mistake[] {
  return [
    {
      title: 'a warning',
      change: [
        [
          'https://login.example.com\n    audience: jeton\n    tenancy: private',
          'https://acme.us.auth0.com/\n    audience: jeton',
        ],
      ],
    },
    {
      title: 'a warning, with --strict',
      strict: true,
      change: [
        [
          'https://login.example.com\n    audience: jeton\n    tenancy: private',
          'https://acme.us.auth0.com/\n    audience: jeton',
        ],
      ],
    },
    {
      title: 'a warning between two errors',
      change: [
        ['port: 8080', 'port: 808080'],
        [
          'https://login.example.com\n    audience: jeton\n    tenancy: private',
          'https://acme.us.auth0.com/\n    audience: jeton',
        ],
        ['users: [migrator]', 'users: [migrater]'],
      ],
    },
  ]
}
