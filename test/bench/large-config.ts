/** A configuration of a large company: each database has ten grants, for the jobs of as many repositories. */
export interface ConfigSize {
  readonly issuers: number
  readonly databases: number
  readonly grants: number
}

export const LARGE: ConfigSize = { issuers: 50, databases: 1000, grants: 10_000 }
export const SMALL: ConfigSize = { issuers: 1, databases: 1, grants: 1 }

/** Returns a sound configuration of that size, as it would stand in the file. */
export function configOfSize({ issuers, databases, grants }: ConfigSize): object {
  const numbered = <T>(count: number, entry: (number: number) => [string, T]) =>
    Object.fromEntries(Array.from({ length: count }, (_, number) => entry(number)))
  return {
    issuers: numbered(issuers, number => [
      `ci-${number}`,
      { issuer: `https://ci-${number}.example.com`, audience: 'jeton', tenancy: 'private' },
    ]),
    databases: numbered(databases, number => [
      `database-${number}`,
      {
        engine: 'postgres',
        host: `database-${number}.c9akciq32xyz.us-east-1.rds.amazonaws.com`,
        resourceId: resourceIdOf(number),
        roleArn: `arn:aws:iam::123456789012:role/jeton-database-${number}`,
        users: ['app_ro', 'app_rw', 'migrator'],
      },
    ]),
    grants: Array.from({ length: grants }, (_, number) => ({
      name: `grant-${number}`,
      principal: {
        issuer: `ci-${number % issuers}`,
        claims: { repository_id: number, ref: ['refs/heads/main', 'refs/tags/v*'] },
      },
      database: `database-${number % databases}`,
      users: [number % 2 ? 'migrator' : 'app_rw'],
    })),
    audit: [{ type: 'file', path: 'audit.jsonl' }],
  }
}

/** Resource ids have no digits but 0 to 9 and capital letters: a number in base 36, padded. */
function resourceIdOf(number: number): string {
  return `db-${number.toString(36).toUpperCase().padStart(26, 'A')}`
}
