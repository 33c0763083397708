import { generateKeyPairSync } from 'node:crypto'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { jwksText, publicJwk, tlsFiles } from '../support.ts'
import type { Mistake } from './mistake.ts'

const GITHUB_ISSUER = 'issuer: https://token.actions.githubusercontent.com'
const STAFF_ISSUER = 'issuer: https://login.example.com'
const CLAIMS = '        repository_id: 123456\n'

/** What is well-formed and can never work. */
export const IMPOSSIBLE_MISTAKES: readonly Mistake[] = [
  ...certificates(),
  {
    title: 'a resource id is in lower case',
    change: [['db-ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'db-abcdefghijklmnopqrstuvwxyz']],
  },
  { title: 'a user belongs to RDS', change: [['migrator]', 'rdsadmin]']] },
  {
    title: 'a role is one that AWS linked to a service',
    change: [['role/jeton-orders', 'role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS']],
  },
  {
    title: 'an issuer is the common endpoint of Entra',
    change: [[STAFF_ISSUER, 'issuer: https://login.microsoftonline.com/common/v2.0']],
  },
  {
    title: 'an issuer of Entra lacks its end',
    change: [
      [STAFF_ISSUER, 'issuer: https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555'],
    ],
  },
  {
    title: 'an issuer is a discovery document',
    change: [[STAFF_ISSUER, `${STAFF_ISSUER}/.well-known/openid-configuration`]],
  },
  { title: 'an issuer is the address of keys', change: [[STAFF_ISSUER, `${STAFF_ISSUER}/oauth2/v1/keys`]] },
  { title: 'an issuer is the site of GitHub', change: [[STAFF_ISSUER, 'issuer: https://github.com/acme']] },
  {
    title: 'no key of a key set can verify',
    files: {
      'cluster-jwks.json': jwksText([
        { ...publicJwk(), use: 'enc' },
        { ...publicJwk(), crv: 'secp256k1' },
        { kty: 'RSA', e: 'AQAB', kid: 'a' },
      ]),
    },
  },
  {
    title: 'a sink is a file in a folder that does not exist',
    change: [['path: audit.jsonl', 'path: logs/audit.jsonl']],
  },
  { title: 'a sink is the configuration', change: [['path: audit.jsonl', 'path: jeton.yaml']] },
  { title: 'a host has a port', change: [['host: 127.0.0.1', 'host: 127.0.0.1:8080']] },
  {
    title: 'a KMS key is in another region',
    change: [
      [
        'encryption: { keyFile: store.key }',
        'region: eu-west-1\n  encryption: { kmsKeyId: "arn:aws:kms:us-east-1:123456789012:alias/jeton" }',
      ],
    ],
  },
  {
    title: 'a grant wants two subjects',
    change: [['subject: "system:serviceaccount:billing:*"', 'subject: a\n      claims: { sub: b }']],
  },
  {
    title: 'two databases have one host and two resource ids',
    change: [
      ['billing.cluster-c9akciq32xyz.eu-central-1', 'orders.c9akciq32xyz.us-east-1'],
      ['engine: mysql', 'engine: postgres'],
    ],
  },
]

/** What may work, and probably does not, or not for those who are meant. */
export const DOUBTFUL_MISTAKES: readonly Mistake[] = [
  {
    title: 'a claim has another name',
    change: [['        ref: [refs/heads/main, "refs/tags/v*"]', '        branch: main']],
  },
  { title: 'a claim is misspelled', change: [['ref: [', 'rfe: [']] },
  { title: 'a branch stands in the place of a ref', change: [['[refs/heads/main, ', '[main, ']] },
  {
    title: 'the owner is pinned by a name',
    change: [[CLAIMS, CLAIMS.replace('repository_id: 123456', 'repository: acme/app')]],
  },
  { title: 'a variable is not expanded', change: [['audience: jeton', 'audience: $' + '{AUDIENCE}']] },
  { title: 'a placeholder is left', change: [[STAFF_ISSUER, `${STAFF_ISSUER}/<tenant>`]] },
  { title: 'an issuer has a slash too many', change: [[GITHUB_ISSUER, `${GITHUB_ISSUER}/`]] },
  { title: '/metrics is open to all', change: [['admin: { port: 9464 }', 'admin: { host: 0.0.0.0 }']] },
  { title: 'stdout is the only log', change: [['  - { type: file, path: audit.jsonl }\n', '']] },
  {
    title: 'a grant is never reached',
    change: [
      ['database: billing', 'database: orders'],
      ['name: billing-jobs', 'name: again'],
      ['issuer: cluster', 'issuer: apiKey'],
      ['"system:serviceaccount:billing:*"', 'nightly-report'],
      ['[billing_ro, billing_rw]', '[app_ro]'],
    ],
  },
  { title: 'the master user is listed', change: [['migrator]', 'postgres]']] },
  {
    title: 'one of two keys cannot verify',
    files: { 'cluster-jwks.json': jwksText([publicJwk(), { ...publicJwk(), alg: 'HS256' }]) },
  },
]

function certificates(): Mistake[] {
  const rsa = createAuthority().issue(['localhost'], {
    key: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  })
  const expired = createAuthority().issue(['localhost'], { expiresAt: Date.parse('2025-01-02T03:04:05Z') })
  const weak = createAuthority().issue(['localhost'], {
    key: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  })
  const files = ({ certPem, keyPem }: { certPem: string; keyPem: string }) => ({
    'server.pem': certPem,
    'server-key.pem': keyPem,
  })
  return [
    {
      title: 'the key is of another type than the certificate',
      files: { ...tlsFiles(), 'server.pem': rsa.certPem },
    },
    { title: 'the certificate has expired', files: files(expired) },
    { title: 'the certificate has a weak key', files: files(weak) },
  ]
}
