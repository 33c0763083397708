import { sha256Hex } from '../lib/hash.ts'
import type { SignedEndpoint } from './aws/rds-verifier.ts'

/** The one database: of an account, a role and an instance that nobody has. */
export const ORDERS_ENDPOINT: SignedEndpoint = {
  host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 5432,
  region: 'us-east-1',
  resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
}
export const ORDERS_USERS = ['app_ro', 'app_rw', 'migrator']
/** The issuer's name. */
export const CI = 'ci'
/** Claims of the one repository and branch that the grant allows. */
export const DEPLOY_CLAIMS = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  ref: 'refs/heads/main',
}
/** Everyone may know it: no other server accepts it. */
export const DEV_API_KEY = 'jeton_for_development_only'

/** Returns a configuration whose only issuer is at `issuerUrl`. Members of `sections` and `database` replace or add to its own. */
export function builtInConfig(
  issuerUrl: string,
  { sections = {}, database = {} }: { sections?: object; database?: object } = {},
): object {
  const { host, resourceId } = ORDERS_ENDPOINT
  const { repository, ref } = DEPLOY_CLAIMS
  return {
    issuers: { [CI]: { issuer: issuerUrl, audience: 'jeton' } },
    apiKeys: { dev: { sha256: sha256Hex(DEV_API_KEY) } },
    databases: {
      orders: {
        engine: 'postgres',
        host,
        resourceId,
        roleArn: 'arn:aws:iam::123456789012:role/jeton-orders',
        users: ORDERS_USERS,
        dbname: 'orders',
        ...database,
      },
    },
    grants: [
      {
        name: 'orders-deploy',
        principal: { issuer: CI, claims: { repository, ref } },
        database: 'orders',
        users: ['migrator'],
      },
      {
        name: 'orders-app',
        principal: { issuer: 'apiKey', subject: 'dev' },
        database: 'orders',
        users: ['app_ro', 'app_rw'],
      },
    ],
    ...sections,
  }
}
