import type { Registry } from 'prom-client'
import type { RecordMemory } from '../src/audit/record-memory.ts'
import type { Config } from '../src/config/config.ts'
import { createAdminApp } from '../src/http/admin.ts'
import { listen } from '../src/http/listener.ts'
import { createServedCertificate } from '../src/http/served-certificate.ts'
import type { Service } from '../src/service.ts'
import type { Log } from '../src/telemetry/log.ts'

export interface AdminListenerParts {
  service: Service
  registry: Registry
  log: Log
  /** If records are in no table and no file that the console could read. */
  recordMemory: RecordMemory | undefined
}

/** The operator's listener: `/metrics`, and the console if it is on. */
export interface AdminListener {
  /** Returns where it listens, and where the console is; undefined for what is off. */
  listen(): Promise<{ admin: string | undefined; console: string | undefined }>
  /** Takes on a renewed certificate. */
  reload(config: Config): void
  close(): Promise<void>
}

/** Creates it as the configuration says, and tells the service of its certificate. The console loads only if it is on. */
export async function createAdminListener(
  { server: { admin }, audit }: Config,
  { service, registry, log, recordMemory }: AdminListenerParts,
): Promise<AdminListener> {
  const { clock } = service
  const app = createAdminApp(registry, { clock, log }, { tls: admin?.tls, host: admin?.host })
  const certificate = createServedCertificate(app, admin?.tls)
  service.addCertificate({ of: 'admin', notAfter: certificate.notAfter })
  if (admin?.console) {
    const { openConsole } = await import('./console.ts')
    await openConsole(app, { service, admin, audit, log, recordMemory })
  }
  return {
    async listen() {
      const url = admin && (await listen(app, admin))
      return { admin: url, console: admin?.console ? `${url}/console` : undefined }
    },
    reload(changed) {
      certificate.renew(changed.server.admin?.tls)
    },
    async close() {
      await app.close()
    },
  }
}
