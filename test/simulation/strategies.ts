import { createJetonStrategy } from './jeton-strategy.ts'
import { cacheInEachProcess, signForEachConnection } from './signing-strategies.ts'
import type { CreateStrategy } from './strategy.ts'

interface DescribedStrategy {
  readonly description: string
  readonly create: CreateStrategy
}

/** All strategies that are compared, by their names in docs/fleet.md. */
export const STRATEGIES = {
  'a, own': {
    description: 'a signature for each connection, own sessions',
    create: signForEachConnection('own'),
  },
  'a, shared': {
    description: 'a signature for each connection, one session',
    create: signForEachConnection('shared'),
  },
  'b, own': { description: 'a cache in each process, own sessions', create: cacheInEachProcess('own') },
  'b, shared': { description: 'a cache in each process, one session', create: cacheInEachProcess('shared') },
  c: { description: 'jeton, shared session', create: createJetonStrategy({ session: 'shared' }) },
  d: {
    description: 'jeton, a session for each principal',
    create: createJetonStrategy({ session: 'per-principal' }),
  },
} as const satisfies Record<string, DescribedStrategy>

export type StrategyName = keyof typeof STRATEGIES

/** Whether a strategy asks jeton, and must keep its promises. */
export const isJeton = (name: StrategyName) => name === 'c' || name === 'd'
