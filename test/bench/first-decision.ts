import type { Principal } from '../../src/authentication/principal.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import type { PrincipalAccess } from '../../src/vending/principal-access.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { compareCpu, readScriptArguments } from './in-process.ts'
import { reportCheck } from './report.ts'

/** Decides for principals that were never seen, with many grants on one database over few. Each principal meets one grant. */
const [MANY, FEW] = [10_000, 10]
const PRINCIPALS = 2000
const MAX_RATIO = 4
const [user = ''] = ORDERS.users
const clock = systemClock()
const { plan } = readScriptArguments()

/** As people write them: a repository by its id, and its branches. */
function grantOf(repository: number): GrantSpec {
  const claims = { repository_id: repository, ref: ['refs/heads/main', 'refs/tags/v*'] }
  return {
    name: `repository-${repository}`,
    principal: { issuer: 'github', claims },
    database: ORDERS.name,
    users: [user],
  }
}

function compile(grants: number) {
  const config = {
    server: { host: '127.0.0.1', port: 0 },
    issuers: [],
    apiKeys: {},
    databases: [ORDERS],
    grants: Array.from({ length: grants }, (_, repository) => grantOf(repository)),
    store: { type: 'memory' as const },
    audit: [],
    origin: { sha256: '', files: {} },
  }
  const policy = compileAccessPolicy(config, {
    clock,
    keysOf: () => {
      throw new Error('there is no issuer')
    },
  })
  return { policy, grants }
}

/** Claims are the job's own, as when its JWT has just been verified. */
function newPrincipal(repository: number, run: number): Principal {
  return {
    issuer: 'github',
    subject: `repo:acme/r${repository}:ref:refs/heads/main`,
    claims: {
      sub: `repo:acme/r${repository}:ref:refs/heads/main`,
      repository: `acme/r${repository}`,
      repository_id: String(repository),
      repository_owner: 'acme',
      repository_owner_id: '65',
      ref: 'refs/heads/main',
      run_id: String(run),
      event_name: 'push',
    },
  }
}

async function measure(what: string, isRight: (access: PrincipalAccess) => boolean): Promise<void> {
  const side =
    ({ policy, grants }: ReturnType<typeof compile>) =>
    async () => {
      const principals = Array.from({ length: PRINCIPALS }, (_, run) =>
        newPrincipal((run * 7919) % grants, run),
      )
      return async () => {
        for (const principal of principals)
          if (!isRight(policy.accessOf(principal))) throw new Error('it decided otherwise')
        return PRINCIPALS
      }
    }
  const { ratio, shown, ...micros } = await compareCpu(
    { subject: side(compile(MANY)), base: side(compile(FEW)) },
    plan,
  )
  const grants = `${MANY.toLocaleString('en')} grants over ${FEW}`
  reportCheck(`${what} with ${grants}, at most ${MAX_RATIO} ×`, {
    isKept: ratio <= MAX_RATIO,
    figure: `${shown}, ${micros.subject.toFixed(1)} µs of CPU to ${micros.base.toFixed(1)}`,
  })
}

await measure('a first decision', access => access.decide({ database: ORDERS.name, user }).kind === 'granted')
await measure('first entitlements', access => access.entitlements().length === 1)
