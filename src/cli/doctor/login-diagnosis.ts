import { findKnownRefusal } from '../../client/login-probe/find-refusal.ts'
import type { WireError } from '../../client/wire/wire-error.ts'
import { CHECK_CONNECT, MORE_TIME } from './advice.ts'
import type { Findings } from './examination.ts'
import type { Diagnosis } from './step.ts'

/** Returns what it means that a server refused a login, or did not finish it. */
export function diagnoseLogin(cause: WireError, { reply }: Findings): Diagnosis {
  const known = findKnownRefusal(cause, reply?.engine === 'postgres' ? 'postgres' : 'mysql')
  if (known !== undefined) return known
  switch (cause.failure) {
    case 'timeout':
      return {
        means: 'the server asks its own service about the token, and that takes too long',
        remedies: ['try again: the instance may be short of memory or CPU', MORE_TIME],
      }
    case 'connection':
      return ENDED
    case 'protocol':
      return NO_DATABASE
    default:
      return UNKNOWN
  }
}

/** Returns what it means that a query fails after the login went well. */
export function diagnoseQuery(cause: WireError, findings: Findings): Diagnosis {
  if (cause.failure !== 'timeout') return diagnoseLogin(cause, findings)
  return {
    means: 'the login was accepted; the query takes too long',
    remedies: [
      'try again: the instance may be short of memory or CPU',
      'a pooler in between may wait for a connection of the database: look at its own log',
      MORE_TIME,
    ],
  }
}

const ENDED: Diagnosis = {
  means: 'the server ended the connection without a reason',
  remedies: ['it may be restarting: try again', 'its log may say why'],
}

const NO_DATABASE: Diagnosis = {
  means: 'what answers there does not go on as a database does',
  remedies: [CHECK_CONNECT, 'a pooler or a proxy in between may be at fault: look at its own log'],
}

const UNKNOWN: Diagnosis = {
  means: 'this answer is not known to jeton',
  remedies: ['look for its code in the documentation of the database'],
}
