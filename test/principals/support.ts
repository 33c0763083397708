import { onTestFinished } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createHealth } from '../../src/health.ts'
import type { Log } from '../../src/log.ts'
import { createLooseEnds } from '../../src/loose-ends.ts'
import { discoveredKeys } from '../../src/principals/key-set.ts'
import { virtualClock } from '../world/clock.ts'
import { type IssuerOptions, startIssuer } from '../world/issuer.ts'

/** A log that keeps every line as JSON, so that a test can search all of it. */
export function recordingLog(): Log & { lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, msg: string) => void lines.push(JSON.stringify({ ...fields, msg }))
  return { lines, debug: write, info: write, warn: write, error: write }
}

/** An issuer on a clock that stands still, closed when the test ends. */
export async function issuerWorld(options: IssuerOptions = {}) {
  const clock = virtualClock()
  const issuer = await startIssuer({ now: clock.now, ...options })
  onTestFinished(() => issuer.close())
  const log = recordingLog()
  const health = createHealth()
  const looseEnds = createLooseEnds()
  const keysOf = (issuerUrl: string, fetch = globalThis.fetch) =>
    discoveredKeys({ issuerUrl, fetch, clock, log, health, looseEnds })
  return { clock, issuer, log, health, looseEnds, keysOf }
}

/** The JetonError that a promise rejects with; fails where it resolves or throws anything else. */
export async function refusal(promise: Promise<unknown>): Promise<JetonError> {
  const outcome = await promise.then(
    () => 'it was accepted',
    (cause: unknown) => cause,
  )
  if (outcome instanceof JetonError) return outcome
  throw new Error('expected a JetonError', { cause: outcome })
}
