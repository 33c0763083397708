import { sha256Hex } from '../../lib/hash.ts'

/** The bodies of replies as they are with the README's configuration. No secret: the keys are AWS's own examples. */
const TOKEN = [
  'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com:5432/?Action=connect&DBUser=migrator',
  'X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE',
  'X-Amz-Algorithm=AWS4-HMAC-SHA256',
  'X-Amz-Credential=ASIAIOSFODNN7EXAMPLE%2F20261123%2Fus-east-1%2Frds-db%2Faws4_request',
  'X-Amz-Date=20261123T100000Z',
  'X-Amz-Expires=900',
  'X-Amz-SignedHeaders=host',
  'X-Amz-Signature=0aa18e18e678d69f90f69380597c7a5267ddf65b9d1652efed390d725a582c14',
].join('&')

const ENDPOINT = {
  database: 'orders',
  engine: 'postgres',
  host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 5432,
  region: 'us-east-1',
  dbname: 'orders',
}

const CA = {
  bundle: '/v1/ca/us-east-1.pem',
  source: 'https://truststore.pki.rds.amazonaws.com/us-east-1/us-east-1-bundle.pem',
  sha256: '686f44fdcba9ead41760423ff608e5c854047406869dfd98421219be28a359e1',
  certificates: 3,
  notAfter: '2061-05-25T23:34:57.000Z',
  tlsMode: 'verify-full',
}

const AUDIT_ID = 'bdd775c4-1068-4024-beeb-19543b5d196e'

export const TOKEN_EXAMPLE = {
  token: TOKEN,
  ...ENDPOINT,
  user: 'migrator',
  issuedAt: '2026-11-23T10:00:00Z',
  refreshAfter: '2026-11-23T10:09:00Z',
  expiresAt: '2026-11-23T10:15:00Z',
  expiresIn: 893,
  cached: true,
  fingerprint: sha256Hex(TOKEN),
  identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
  grant: 'orders-deploy',
  auditId: AUDIT_ID,
  ca: CA,
}

export const DATABASES_EXAMPLE = { databases: [{ ...ENDPOINT, users: ['migrator'], ca: CA }] }

const SUBJECT = 'repo:acme@1024025/orders@123456:ref:refs/heads/main'

export const WHOAMI_EXAMPLE = {
  principal: {
    issuer: 'github',
    subject: SUBJECT,
    claims: { repository_id: '123456', ref: 'refs/heads/main' },
  },
  databases: [{ name: 'orders', users: ['migrator'] }],
}

/** What a 403 tells a caller of itself. */
export const DENIED_CALLER = {
  principal: { issuer: 'github', subject: SUBJECT },
  auditId: AUDIT_ID,
}

export const PEM_EXAMPLE = '-----BEGIN CERTIFICATE-----\nMIIEBjCC…\n-----END CERTIFICATE-----\n'
