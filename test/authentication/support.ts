import { onTestFinished } from 'vitest'
import { discoverKeys } from '../../src/authentication/issuer-keys.ts'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import type { Log } from '../../src/telemetry/log.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { type IssuerOptions, startIssuer } from '../support/oidc/issuer.ts'

/** Returns a log that keeps every line as JSON, for a test to search. */
export function recordingLog(): Log & { lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, msg: string) => void lines.push(JSON.stringify({ ...fields, msg }))
  return { lines, debug: write, info: write, warn: write, error: write }
}

/** Starts an issuer with all that discovery needs, on a virtual clock. It is closed when the test ends. */
export async function startTestIssuer(options: IssuerOptions = {}) {
  const clock = virtualClock()
  const issuer = await startIssuer({ now: clock.now, ...options })
  onTestFinished(() => issuer.close())
  const log = recordingLog()
  const health = createHealth()
  const backgroundTasks = createBackgroundTasks()
  const keysOf = (issuerUrl: string, fetch = globalThis.fetch) =>
    discoverKeys({ issuerUrl, fetch, clock, log, health, backgroundTasks })
  return { clock, issuer, log, health, backgroundTasks, keysOf }
}

/** Returns the JetonError that a promise rejects with; fails if it resolves, or rejects with anything else. */
export async function refusal(promise: Promise<unknown>): Promise<JetonError> {
  const outcome = await promise.then(
    () => 'it was accepted',
    (cause: unknown) => cause,
  )
  if (outcome instanceof JetonError) return outcome
  throw new Error('expected a JetonError', { cause: outcome })
}
