import type { Clock } from '../../src/lib/clock.ts'
import type { Log } from '../../src/telemetry/log.ts'
import type { PrincipalAccess } from '../../src/vending/principal-access.ts'
import { createRequestAudits } from '../../src/vending/request-audit.ts'
import { createVendToken, type Vended } from '../../src/vending/vend-token.ts'
import { createTokenService } from '../support/service/token-service.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { simulateSignature } from './signature.ts'

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }
const REQUEST = { database: 'orders', user: 'app_rw' }

/**
 * One jeton instance: vends a token to a verified principal, by the project's own code. The fingerprint is that of a token
 * which the caller reports as refused. Throws JetonError.
 */
export type Instance = (access: PrincipalAccess, rejectedFingerprint?: string) => Promise<Vended>

export interface InstanceParts {
  clock: Clock
  network: Network
  random: Random
  name: string
}

export function startInstance({ clock, network, random, name }: InstanceParts): Instance {
  const { store, auditLog } = network
  const tokenCache = createTokenService({
    clock,
    store,
    log: SILENT,
    random: random.next,
    assumeRole: ({ sessionName }) => network.assumeRole(sessionName),
    hasRoleBreaker: true,
    sign: async (key, what) => simulateSignature(key, what),
  })
  const vend = createVendToken(tokenCache)
  const beginAudit = createRequestAudits({ auditLog, clock, instance: name })
  let requests = 0
  return async (access, rejectedFingerprint) => {
    const audit = beginAudit({ requestId: `${name}-${++requests}` })
    try {
      return await vend({ access, audit, request: REQUEST, rejectedFingerprint })
    } catch (cause) {
      const { error, write } = audit.admitFailure(cause)
      write()
      throw error
    }
  }
}
