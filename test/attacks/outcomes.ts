import { expect } from 'vitest'

/** Returns what a refused attack is expected to come to: a problem, and a record with `fields`. */
export function refused(status: number, code: string, fields: object = {}) {
  return {
    status,
    code,
    headers: expect.objectContaining({ 'content-type': expect.stringContaining('application/problem+json') }),
    record: expect.objectContaining({ decision: 'refused', code, ...fields }),
  }
}

/** Refused before anybody was asked who they are: there is nothing to record. */
export function rejectedUnrecorded(status: number, code: string) {
  return { ...refused(status, code), record: undefined }
}

/** Returns what a flawless request comes to, for the claims beside it show that only the attack was refused. */
export function vended(fields: object = {}) {
  return {
    status: 200,
    body: expect.objectContaining({ token: expect.stringContaining('X-Amz-Signature=') }),
    record: expect.objectContaining({ decision: 'vended', ...fields }),
  }
}

export const unauthenticated = (fields: object = {}) => refused(401, 'unauthenticated', fields)
export const accessDenied = (fields: object = {}) => refused(403, 'access_denied', fields)
export const invalidRequest = (fields: object = {}) => refused(400, 'invalid_request', fields)
