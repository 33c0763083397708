import type { Config } from './config.ts'

/**
 * Returns the paths of what lies in the region of the environment, because the configuration gives none: `store`, `audit[0]`.
 * Databases have a region of their own, and a KMS key that is not an ARN has that of the store.
 */
export function findPartsWithoutRegion({ store, audit }: Pick<Config, 'store' | 'audit'>): string[] {
  const parts = [{ path: 'store', part: store }, ...audit.map((part, i) => ({ path: `audit[${i}]`, part }))]
  return parts.flatMap(({ path, part }) =>
    part.type === 'dynamodb' && part.region === undefined ? [path] : [],
  )
}

/** Whether AWS is called at all: for the roles of databases, or for tables. */
export function isAwsNeeded({
  databases,
  store,
  audit,
}: Pick<Config, 'databases' | 'store' | 'audit'>): boolean {
  return databases.length > 0 || [store, ...audit].some(({ type }) => type === 'dynamodb')
}
