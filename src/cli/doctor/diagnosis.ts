import { CallerError } from '../../client/errors.ts'
import { WireError } from '../../client/wire/wire-error.ts'
import { systemCode } from '../../lib/system-error.ts'
import { CHECK_CONNECT, CHECK_PORT } from './advice.ts'
import type { Findings } from './examination.ts'
import { diagnoseLogin, diagnoseQuery } from './login-diagnosis.ts'
import type { Diagnosis, StepName } from './step.ts'
import { diagnoseTls } from './tls-diagnosis.ts'

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
      if (cause instanceof CallerError) return undefined
      return systemCode(cause) === 'ENOTFOUND' ? NO_ADDRESS : NO_DNS
    case 'tcp':
      return NO_CONNECTION[systemCode(cause) ?? ''] ?? NO_ANSWER
    case 'tls':
      return cause instanceof WireError ? diagnoseTls(cause, findings) : undefined
    case 'login':
      return cause instanceof WireError ? diagnoseLogin(cause, findings) : undefined
    case 'query':
      return cause instanceof WireError ? diagnoseQuery(cause, findings) : undefined
  }
}

const COMPARE_JWT =
  'compare `iss` and `aud` of the JWT with an issuer of the configuration, and look at its expiry'

/** The error says what jeton found; this is about whom to ask. */
function diagnoseRefusal(
  { exitCode, code, auditId }: CallerError,
  { jwtProblems }: Findings,
): Diagnosis | undefined {
  const search = auditId === undefined ? '--decision refused' : `--id ${auditId}`
  const findRecord = `an operator finds the reason in the record: \`jeton audit query ${search}\``
  if (code === 'access_denied')
    return {
      means:
        'jeton knows the caller, and no grant gives it this user of this database; or there is no such database',
      remedies: [
        'compare the subject and the claims with the grants: `jeton explain --claims FILE --database DATABASE --user USER`, where the configuration is',
        findRecord,
      ],
    }
  if (code === 'unauthenticated')
    return {
      means: 'jeton did not accept the credential',
      remedies: [
        ...(jwtProblems ?? ['the API key may be mistyped, or no longer in the configuration of jeton']),
        ...(jwtProblems ? [COMPARE_JWT] : []),
        findRecord,
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

const NO_DNS: Diagnosis = {
  means: 'DNS does not answer on this machine',
  remedies: [
    'try again; `getent hosts NAME` asks the same',
    'this machine must reach the servers that /etc/resolv.conf names: a VPN, a firewall or a network policy may be in between',
  ],
}

const NO_WAY: readonly string[] = [NETWORK, CHECK_CONNECT]

const NO_ANSWER: Diagnosis = {
  means: 'the address does not answer: something on the way drops what is sent',
  remedies: [SECURITY_GROUP, NETWORK, 'the instance may be stopped', CHECK_CONNECT],
}

const NO_CONNECTION: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: {
    means: 'the machine is there, and nothing listens at this port',
    remedies: [CHECK_PORT, 'the server may be restarting', 'a tunnel (`connect`) may have ended'],
  },
  ECONNRESET: {
    means: 'the connection was ended at once',
    remedies: [
      CHECK_CONNECT,
      'a tunnel or a load balancer ends connections like this if nothing is behind it',
    ],
  },
  ENETUNREACH: { means: 'this machine has no way to that network', remedies: NO_WAY },
  EHOSTUNREACH: { means: 'this machine has no way to that host', remedies: NO_WAY },
  EADDRNOTAVAIL: { means: 'this machine has no way to such an address', remedies: NO_WAY },
}
