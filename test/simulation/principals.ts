import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { Database } from '../../src/rds/database.ts'
import { createPrincipalAccess, type PrincipalAccess } from '../../src/vending/principal-access.ts'
import { ORDERS } from '../support/databases/orders.ts'

/** Whether all share one role session, or each principal has its own: `session` of a grant. */
export type Session = 'shared' | 'per-principal'

/** Where each workload stands under one grant that means them all. Its JWT counts as verified and remembered. */
export function principals(
  session: Session,
  database: Database = ORDERS,
): (workload: number) => PrincipalAccess {
  const grants = compileGrants([
    {
      name: 'fleet',
      principal: { issuer: 'ci', anyone: true },
      database: database.name,
      users: ['app_rw'],
      session,
    },
  ])
  const known: PrincipalAccess[] = []
  return workload => {
    const standing =
      known[workload] ??
      createPrincipalAccess(
        { issuer: 'ci', subject: `workload-${workload}`, claims: {} },
        { grants, database: () => database },
      )
    known[workload] = standing
    return standing
  }
}
