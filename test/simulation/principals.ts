import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { Database } from '../../src/rds/database.ts'
import { createPrincipalAccess, type PrincipalAccess } from '../../src/vending/principal-access.ts'
import { ORDERS } from '../support/databases/orders.ts'

/** A grant's `session`: whether all principals share one role session or each has its own. */
export type SessionMode = 'shared' | 'per-principal'

export interface PrincipalsOptions {
  database?: Database
  /** The name of the grant; `fleet` unless given. */
  grant?: string
}

/**
 * Returns a function from a workload to the access of its principal, under one grant for everyone. The same workload always
 * has the same object, as a caller whose JWT is verified and cached.
 */
export function createPrincipals(
  session: SessionMode,
  { database = ORDERS, grant = 'fleet' }: PrincipalsOptions = {},
): (workload: number) => PrincipalAccess {
  const grants = compileGrants([
    {
      name: grant,
      principal: { issuer: 'ci', anyone: true },
      database: database.name,
      users: ['app_rw'],
      session,
    },
  ])
  const accessByWorkload: PrincipalAccess[] = []
  return workload => {
    const access =
      accessByWorkload[workload] ??
      createPrincipalAccess(
        { issuer: 'ci', subject: `${grant}-${workload}`, claims: {} },
        { grants, database: () => database, clock: { now: () => 0 } },
      )
    accessByWorkload[workload] = access
    return access
  }
}
