import { JetonError } from '../errors.ts'

/**
 * The 401 of every way in. `publicMessage` helps the caller to mend it; `reason` tells the operator more where there is
 * more to tell. Neither may quote the credential: it could be valid elsewhere.
 */
export function unauthenticated(publicMessage: string, reason: string = publicMessage): JetonError {
  return new JetonError('unauthenticated', { publicMessage, reason })
}
