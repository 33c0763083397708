import { JetonError } from '../errors.ts'

/**
 * Returns the 401 of every authentication scheme. `publicMessage` says what the caller can fix; `reason` is for operators
 * and may say more. Neither may quote the credential: it could be valid elsewhere.
 */
export function unauthenticated(publicMessage: string, reason: string = publicMessage): JetonError {
  return new JetonError('unauthenticated', { publicMessage, reason })
}
