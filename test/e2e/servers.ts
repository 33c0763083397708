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

/** Stand-ins, and servers on them. */
export interface Servers {
  environment(): TestEnvironment
  auditFile(): string
  /** Starts a server whose configuration has these sections replaced. */
  startServer(config?: object, options?: Partial<JetonOptions>): Promise<Jeton>
  /** Returns the `Authorization` of a caller with `CLAIMS`, overridden by `claims`. */
  bearer(claims?: object): Promise<string>
  /** Returns the records of requests in the audit file. */
  auditRecords(): Promise<RequestRecord[]>
  /** Returns all records in the audit file, those of the server itself too. */
  allAuditRecords(): Promise<(RequestRecord | LifecycleRecord)[]>
}

/** Gives each test of a file its own stand-ins, and servers on them that are stopped after it. The tests run one by one. */
export function useServers(): Servers {
  let current: TestEnvironment
  let servers: Jeton[]

  beforeEach(async () => {
    current = await startTestEnvironment()
    servers = []
  })
  afterEach(() => closeAll(servers, current))

  return serversOn({ environment: () => current, onStarted: server => servers.push(server) })
}

/** Gives one test its own stand-ins and servers until `onTestFinished`, that of its context: tests may run at once. */
export async function startServers(onTestFinished: (close: () => Promise<void>) => void): Promise<Servers> {
  const environment = await startTestEnvironment()
  const servers: Jeton[] = []
  onTestFinished(() => closeAll(servers, environment))
  return serversOn({ environment: () => environment, onStarted: server => servers.push(server) })
}

async function closeAll(servers: readonly Jeton[], environment: TestEnvironment): Promise<void> {
  for (const server of servers) await server.close()
  await environment.close()
}

interface Parts {
  environment(): TestEnvironment
  onStarted(server: Jeton): void
}

function serversOn({ environment, onStarted }: Parts): Servers {
  const auditFile = () => join(environment().folder, 'audit.jsonl')
  return {
    environment,
    auditFile,
    async startServer(config = {}, options = {}) {
      const current = environment()
      const server = await startJeton({
        config: current.config(config),
        env: current.serverEnv,
        folder: current.folder,
        ...options,
      })
      onStarted(server)
      return server
    },
    bearer: async (claims = {}) => `Bearer ${await environment().issuer.sign({ ...CLAIMS, ...claims })}`,
    auditRecords: async () =>
      (await recordsIn(auditFile())).filter(({ type }) => type === 'jeton.audit') as RequestRecord[],
    allAuditRecords: () => recordsIn(auditFile()),
  }
}
