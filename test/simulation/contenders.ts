import { askingJeton } from './callers.ts'
import type { Contending } from './contender.ts'
import { cachingInProcess, signingEachTime } from './rivals.ts'

export interface Named {
  readonly told: string
  readonly contending: Contending
}

/** All who play, by the letters that the tables call them. */
export const CONTENDERS = {
  'a, own': { told: 'a signature for each connection, own sessions', contending: signingEachTime('own') },
  'a, shared': {
    told: 'a signature for each connection, one session',
    contending: signingEachTime('shared'),
  },
  'b, own': { told: 'a cache in each process, own sessions', contending: cachingInProcess('own') },
  'b, shared': { told: 'a cache in each process, one session', contending: cachingInProcess('shared') },
  c: { told: 'jeton, shared session', contending: askingJeton({ session: 'shared' }) },
  d: {
    told: 'jeton, a session for each principal',
    contending: askingJeton({ session: 'per-principal' }),
  },
} as const satisfies Record<string, Named>

export type ContenderName = keyof typeof CONTENDERS
