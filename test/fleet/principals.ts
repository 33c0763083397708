import { createStanding, type Standing } from '../../src/config/standing.ts'
import type { Database } from '../../src/databases/database.ts'
import { compileGrants } from '../../src/grants/compile.ts'
import { ORDERS } from '../world/orders.ts'

/** Whether all share one role session, or each principal has its own: `session` of a grant. */
export type Session = 'shared' | 'per-principal'

/** Where each workload stands under one grant that means them all. Its JWT counts as verified and remembered. */
export function principals(session: Session, database: Database = ORDERS): (workload: number) => Standing {
  const grants = compileGrants([
    {
      name: 'fleet',
      principal: { issuer: 'ci', anyone: true },
      database: database.name,
      users: ['app_rw'],
      session,
    },
  ])
  const known: Standing[] = []
  return workload => {
    const standing =
      known[workload] ??
      createStanding(
        { issuer: 'ci', subject: `workload-${workload}`, claims: {} },
        { grants, database: () => database },
      )
    known[workload] = standing
    return standing
  }
}
