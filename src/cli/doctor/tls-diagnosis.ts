import type { WireError } from '../../client/wire/wire-error.ts'
import { CHECK_CONNECT, CHECK_PORT, MORE_TIME } from './advice.ts'
import type { Findings } from './examination.ts'
import { diagnoseLogin } from './login-diagnosis.ts'
import type { Diagnosis } from './step.ts'

const ENDS_TLS = 'something on the way may end TLS itself, such as a pooler or an inspecting proxy'
const NOTHING_SENT = 'The token was not sent'

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
  INVALID_PURPOSE: {
    means: `the certificate is not one for servers. ${NOTHING_SENT}`,
    remedies: [CHECK_CONNECT, ENDS_TLS],
  },
}

const UNKNOWN_CA: Diagnosis = {
  means: `the certificate was issued by none of the CAs that jeton has for this region, or that --ca names. ${NOTHING_SENT}`,
  remedies: [
    CHECK_CONNECT,
    `${ENDS_TLS}: the issuer in the line above says who`,
    'in newer regions, China, GovCloud: pass the bundle that AWS publishes there, by --ca FILE',
  ],
}

/** The server has answered, and not with TLS as it is spoken here. */
const NO_COMMON_TLS: Diagnosis = {
  means: `what answers speaks another version of TLS, or none. ${NOTHING_SENT}`,
  remedies: [
    CHECK_CONNECT,
    ENDS_TLS,
    'an instance so old that it has TLS 1.0 and 1.1 alone must be upgraded: 1.2 is needed',
  ],
}

/** The handshake has the first packets of a connection that are large. */
const HANDSHAKE_HANGS: Diagnosis = {
  means: `the server takes part in the beginning of TLS, and then nothing arrives: large packets may be lost on the way. ${NOTHING_SENT}`,
  remedies: [
    'a VPN, a tunnel or a firewall may drop packets that are too large for it: try with a smaller MTU, such as 1300, on this machine',
    CHECK_CONNECT,
    MORE_TIME,
  ],
}

/** Returns what it means that there is no TLS, or none that can be trusted. */
export function diagnoseTls(cause: WireError, findings: Findings): Diagnosis {
  switch (cause.failure) {
    case 'untrusted':
      return UNTRUSTED[cause.code ?? ''] ?? UNKNOWN_CA
    case 'handshake':
      return cause.code === undefined ? HANDSHAKE_HANGS : NO_COMMON_TLS
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
          `a database that was paused takes a while: ${MORE_TIME}`,
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
