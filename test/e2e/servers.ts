import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { LifecycleRecord } from '../../src/audit/lifecycle-record.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { type Jeton, type JetonOptions, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

type RequestRecord = AuditRecord & { readonly type: string; readonly v: number }

async function recordsIn(path: string): Promise<(RequestRecord | LifecycleRecord)[]> {
  const lines = (await readFile(path, 'utf8')).trim().split('\n')
  return lines.map(line => JSON.parse(line))
}

/** Gives each test of a file its own stand-ins, and servers on them that are stopped after it. */
export function useServers() {
  let current: TestEnvironment
  let servers: Jeton[]

  beforeEach(async () => {
    current = await startTestEnvironment()
    servers = []
  })
  afterEach(async () => {
    for (const server of servers) await server.close()
    await current.close()
  })

  const auditFile = () => join(current.folder, 'audit.jsonl')

  return {
    environment: () => current,
    auditFile,
    /** Starts a server whose configuration has these sections replaced. */
    async startServer(config: object = {}, options: Partial<JetonOptions> = {}): Promise<Jeton> {
      const server = await startJeton({
        config: current.config(config),
        env: current.serverEnv,
        folder: current.folder,
        ...options,
      })
      servers.push(server)
      return server
    },
    /** Returns the `Authorization` of a caller with `CLAIMS`, overridden by `claims`. */
    bearer: async (claims: object = {}) => `Bearer ${await current.issuer.sign({ ...CLAIMS, ...claims })}`,
    /** Returns the records of requests in the audit file. */
    auditRecords: async () =>
      (await recordsIn(auditFile())).filter(({ type }) => type === 'jeton.audit') as RequestRecord[],
    /** Returns all records in the audit file, those of the server itself too. */
    allAuditRecords: () => recordsIn(auditFile()),
  }
}
