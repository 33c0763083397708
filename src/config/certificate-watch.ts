import { X509Certificate } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import type { Log } from '../telemetry/log.ts'
import { endsSoon } from './checks/certificate.ts'
import type { ServerConfig } from './config.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LISTENERS = { server: 'the server', admin: 'the admin listener' }

/**
 * Returns a function to be called each minute with the server's certificate: it logs once a day that it ends soon, and once an
 * hour that it has ended. Another certificate is logged at once.
 */
export function createCertificateWatch({
  clock,
  log,
  of,
}: {
  clock: Pick<Clock, 'now'>
  log: Log
  /** The listener whose certificate it is. */
  of: 'server' | 'admin'
}): (tls: ServerConfig['tls']) => void {
  const [daily, hourly] = [createLogThrottle(DAY_MS), createLogThrottle(HOUR_MS)]
  let watched: string | undefined

  return tls => {
    if (tls?.cert !== watched) for (const throttle of [daily, hourly]) throttle.reset()
    watched = tls?.cert
    if (!tls) return
    // the first of the chain
    const certificate = new X509Certificate(tls.cert)
    const now = clock.now()
    const notAfter = new Date(certificate.validTo).toISOString()
    if (now > Date.parse(notAfter)) {
      if (hourly.admit(now))
        log.error(
          { event: 'certificate_expired', of, notAfter },
          `the certificate of ${LISTENERS[of]} has expired, and its callers refuse the connection: renew it, then reload with SIGHUP`,
        )
    } else if (endsSoon(certificate, now) && daily.admit(now))
      log.warn(
        { event: 'certificate_expiring', of, notAfter },
        `the certificate of ${LISTENERS[of]} ends soon: renew it, then reload with SIGHUP`,
      )
  }
}
