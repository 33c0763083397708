import { performance } from 'node:perf_hooks'
import { cpuTimeOf } from '../cpu-time.ts'
import type { Ci } from './ci.ts'
import { type Admission, admitLogins } from './logins.ts'
import { runJob } from './run-job.ts'
import type { Way } from './ways.ts'

/** What came of many jobs at once. */
export interface Burst {
  /** From the first job's start until the last one had its token. */
  readonly wallMs: number
  /** Of all jobs together, and of jeton's server meanwhile. */
  readonly jobsCpuMs: number
  readonly serverCpuMs: number
  readonly jobs: number
  /** Calls that STS answered with a role session. */
  readonly roleSessions: number
  readonly tokens: number
  /** How RDS admits them, if a role session is an identity to it, and if a role is. */
  readonly bySession: Admission
  readonly byRole: Admission
}

/** Starts jobs at once, each with a subject and a folder of its own, and lets each token pass RDS's check. */
export async function runAtOnce(ci: Ci, { way, jobs }: { way: Way; jobs: number }): Promise<Burst> {
  const created = await Promise.all(
    Array.from({ length: jobs }, (_, number) => ci.createJob(`${way.id}-${number}`)),
  )
  const roleSessionsBefore = ci.roleSessions()
  const serverCpu = async () =>
    way.server ? (await cpuTimeOf(way.server.process.pid ?? 0)).allThreads / 1000 : 0
  const serverCpuBefore = await serverCpu()
  const startedAt = performance.now()
  const results = await Promise.all(
    created.map(async job => {
      const result = await runJob(way.commandOf(job))
      return { ...result, endedMs: performance.now() - startedAt }
    }),
  )
  const wallMs = performance.now() - startedAt
  const logins = await Promise.all(
    results.map(async ({ token, endedMs }) => {
      const identity = await ci.logIn(token)
      // jeton decides when each job has its token; jobs that sign have theirs at the same time, had each a machine of its own
      return { token, identity, atMs: way.server ? Math.ceil(endedMs) : 0 }
    }),
  )
  const role = (arn: string) => arn.slice(0, arn.lastIndexOf('/'))
  return {
    jobs,
    wallMs,
    jobsCpuMs: results.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    serverCpuMs: (await serverCpu()) - serverCpuBefore,
    roleSessions: ci.roleSessions() - roleSessionsBefore,
    tokens: new Set(logins.map(({ token }) => token)).size,
    bySession: admitLogins(logins),
    byRole: admitLogins(logins.map(login => ({ ...login, identity: role(login.identity) }))),
  }
}
