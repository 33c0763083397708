import { failure } from './errors.ts'
import type { TokenReply } from './token-reply.ts'

/** The clients that speak an engine's protocol. */
export type ClientFamily = 'postgres' | 'mysql'

/** Returns which family of clients speaks to the engine. Throws CallerError for an engine that this version does not know. */
export function clientFamily({ engine }: Pick<TokenReply, 'engine'>): ClientFamily {
  if (engine === 'postgres') return 'postgres'
  if (engine === 'mysql' || engine === 'mariadb') return 'mysql'
  throw failure(`this version of jeton does not know the engine ${engine}: install a newer one`)
}
