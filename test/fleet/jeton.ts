import type { Clock } from '../../src/clock.ts'
import type { Standing } from '../../src/config/standing.ts'
import type { Log } from '../../src/log.ts'
import { createLooseEnds } from '../../src/loose-ends.ts'
import { createBook } from '../../src/tokens/book.ts'
import { createPace } from '../../src/tokens/pace.ts'
import { rememberFailures } from '../../src/tokens/role-memory.ts'
import { createTrails } from '../../src/trail.ts'
import { createVend, type Vended } from '../../src/vend.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { playedSignature } from './signature.ts'

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }
const ASK = { database: 'orders', user: 'app_rw' }

/** One instance of jeton, from the verified principal to the recorded token: the project's own code. Throws JetonError. */
export type Instance = (standing: Standing) => Promise<Vended>

export interface InstanceParts {
  clock: Clock
  network: Network
  random: Random
  name: string
}

export function startInstance({ clock, network, random, name }: InstanceParts): Instance {
  const { shelf, journal } = network
  const shared = { shelf, clock, log: SILENT, looseEnds: createLooseEnds(), random: random.next }
  const book = createBook({
    ...shared,
    pace: createPace(shared),
    roles: rememberFailures(({ sessionName }) => network.assume(sessionName), shared),
    sign: async (key, what) => playedSignature(key, what),
  })
  const vend = createVend(book)
  const beginTrail = createTrails({ journal, clock, instance: name })
  let requests = 0
  return async standing => {
    const trail = beginTrail({ requestId: `${name}-${++requests}` })
    try {
      return await vend({ standing, trail, ask: ASK })
    } catch (cause) {
      throw trail.ended(cause)
    }
  }
}
