import type { Database } from '../../../src/rds/database.ts'

/** The database of most tests and of the demo, as `checkDatabase` returns it. */
export const ORDERS: Database = {
  name: 'orders',
  engine: 'postgres',
  host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 5432,
  kind: 'instance',
  partition: 'aws',
  region: 'us-east-1',
  account: '123456789012',
  resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  roleArn: 'arn:aws:iam::123456789012:role/jeton-orders',
  users: ['app_ro', 'app_rw', 'migrator'],
  newTokensPerSecond: 16,
}
