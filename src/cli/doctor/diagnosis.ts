import { CallerError } from '../../client/errors.ts'
import { findKnownRefusal } from '../../client/login-probe/find-refusal.ts'
import { ProbeError } from '../../client/login-probe/probe-error.ts'
import { systemCode } from '../../lib/system-error.ts'
import type { Findings } from './examination.ts'
import type { Diagnosis, StepName } from './step.ts'

const CHECK_CONNECT = 'if `connect` is configured, check that it leads to this database'
const CHECK_PORT =
  'check `engine` and `port` in the configuration of jeton: they must be those that RDS shows'
const SECURITY_GROUP = 'the security group of the database must let this machine in, at this port'
const NETWORK =
  'an RDS that is not public has an address in its VPC alone: run this where the program runs, or go through a tunnel (`connect`)'

/** Returns what the failure of a step means; undefined if its row says all that is known. */
export function diagnose(step: StepName, cause: unknown, findings: Findings): Diagnosis | undefined {
  switch (step) {
    case 'identity':
    case 'token':
      return cause instanceof CallerError ? diagnoseRefusal(cause, findings) : undefined
    case 'dns':
      return NO_ADDRESS
    case 'tcp':
      return NO_CONNECTION[systemCode(cause) ?? codeOf(cause) ?? ''] ?? NO_ANSWER
    case 'tls':
      return cause instanceof ProbeError ? diagnoseTls(cause, findings) : undefined
    case 'login':
    case 'query':
      return cause instanceof ProbeError ? diagnoseLogin(cause, findings) : undefined
  }
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof ProbeError ? cause.code : undefined
}

/** The error says what jeton found; this is about whom to ask. */
function diagnoseRefusal(
  { exitCode, code }: CallerError,
  { jwtProblems = [] }: Findings,
): Diagnosis | undefined {
  if (code === 'access_denied')
    return {
      means:
        'jeton knows the caller, and no grant gives it this user of this database; or there is no such database',
      remedies: [
        'compare the subject and the claims with the grants: `jeton explain --claims FILE --database DATABASE --user USER`, where the configuration is',
        'an operator finds the reason in the record: `jeton audit query --decision refused`',
      ],
    }
  if (code === 'unauthenticated')
    return {
      means: 'jeton did not accept the credential',
      remedies: [
        ...jwtProblems,
        'compare `iss` and `aud` of the JWT with an issuer of the configuration, and look at its expiry',
        'an operator finds the reason in the record: `jeton audit query --decision refused`',
      ],
    }
  if (code === 'role_refused')
    return {
      means: 'AWS refuses jeton the role of this database',
      remedies: ['an operator must act: `jeton check --live`, where jeton runs'],
    }
  if (exitCode !== 4) return undefined
  return { means: 'this may pass', remedies: ['try again, or give --wait SECONDS'] }
}

const NO_ADDRESS: Diagnosis = {
  means: 'the name of the database leads to no address from here',
  remedies: [
    'the instance may have been renamed or deleted, and its name be misspelled: compare it with the one that RDS shows',
    'this machine may use a DNS server that does not know it, such as a VPN’s',
    CHECK_CONNECT,
  ],
}

const NO_ANSWER: Diagnosis = {
  means: 'the address does not answer: something on the way drops what is sent',
  remedies: [SECURITY_GROUP, NETWORK, 'the instance may be stopped', CHECK_CONNECT],
}

const NO_CONNECTION: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: {
    means: 'the machine is there, and nothing listens at this port',
    remedies: [CHECK_PORT, 'the server may be restarting', 'a tunnel (`connect`) may have ended'],
  },
  ENETUNREACH: { means: 'this machine has no way to that network', remedies: [NETWORK, CHECK_CONNECT] },
  EHOSTUNREACH: { means: 'this machine has no way to that host', remedies: [NETWORK, CHECK_CONNECT] },
}

const NOTHING_SENT = 'the token was not sent'

const UNTRUSTED: Readonly<Record<string, Diagnosis>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: {
    means: `the certificate is for another name than that of the endpoint: another server answers. ${NOTHING_SENT}`,
    remedies: [CHECK_CONNECT, 'of an alias: tokens and certificates are for RDS’s own name alone'],
  },
  CERT_HAS_EXPIRED: {
    means: `the certificate has expired. ${NOTHING_SENT}`,
    remedies: [
      'is the clock of this machine right?',
      'rotate the certificate of the instance: `aws rds modify-db-instance --ca-certificate-identifier …`',
    ],
  },
  CERT_NOT_YET_VALID: {
    means: `the certificate is not valid yet. ${NOTHING_SENT}`,
    remedies: ['is the clock of this machine right?'],
  },
}

const UNKNOWN_CA: Diagnosis = {
  means: `the certificate was issued by none of the CAs that jeton has for this region, or that --ca names. ${NOTHING_SENT}`,
  remedies: [
    CHECK_CONNECT,
    'something on the way may end TLS itself, such as a pooler or an inspecting proxy: the issuer in the line above says who',
    'in newer regions, China, GovCloud: pass the bundle that AWS publishes there, by --ca FILE',
  ],
}

function diagnoseTls(cause: ProbeError, findings: Findings): Diagnosis | undefined {
  switch (cause.failure) {
    case 'untrusted':
      return UNTRUSTED[cause.code ?? ''] ?? UNKNOWN_CA
    case 'no_tls':
      return {
        means: `the server has no TLS, so it is not RDS, which always has. ${NOTHING_SENT}`,
        remedies: [
          CHECK_CONNECT,
          'a pooler in between needs TLS of its own, with a certificate for the endpoint’s name',
        ],
      }
    case 'protocol':
      return { means: `something else listens there. ${NOTHING_SENT}`, remedies: [CHECK_PORT, CHECK_CONNECT] }
    case 'timeout':
      return {
        means: `something takes connections and says nothing. ${NOTHING_SENT}`,
        remedies: [
          `${CHECK_PORT}: a PostgreSQL waits for its client, a MySQL speaks first`,
          'a load balancer or a tunnel may take connections although nothing is behind it',
          'a database that was paused takes a while: give --timeout SECONDS',
        ],
      }
    case 'connection':
      return {
        means: `the connection ended before TLS was there. ${NOTHING_SENT}`,
        remedies: [
          CHECK_CONNECT,
          'a tunnel or a load balancer ends connections like this if nothing is behind it',
          CHECK_PORT,
        ],
      }
    default:
      return diagnoseLogin(cause, findings)
  }
}

function diagnoseLogin(cause: ProbeError, { reply }: Findings): Diagnosis {
  const known = findKnownRefusal(cause, reply?.engine === 'postgres' ? 'postgres' : 'mysql')
  if (known !== undefined) return known
  if (cause.failure === 'timeout')
    return {
      means: 'the server asks its own service about the token, and that takes too long',
      remedies: ['try again: the instance may be short of memory or CPU', 'give --timeout SECONDS'],
    }
  if (cause.failure === 'connection')
    return {
      means: 'the server ended the connection without a reason',
      remedies: ['it may be restarting: try again', 'its log may say why'],
    }
  return {
    means: 'this answer is not known to jeton',
    remedies: ['look for its code in the documentation of the database'],
  }
}
