import { isJsonObject } from '../lib/json.ts'
import type { HttpReply } from './reply.ts'

/**
 * Sources of events that come by the clock: EventBridge's rules and its Scheduler.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
const SCHEDULES: ReadonlySet<unknown> = new Set(['aws.events', 'aws.scheduler'])

/**
 * Returns whether an event asks for nothing but an execution environment that is ready: that of a schedule, of a tool that
 * keeps functions warm (`{"warmer":true}`, `{"source":"serverless-plugin-warmup"}`: it says so in a member's name or value),
 * or an empty one, such as a test from the console.
 */
export function isWarmUp(event: unknown): boolean {
  if (event === null) return true
  if (!isJsonObject(event)) return false
  const { source, type } = event
  return (
    Object.keys(event).length === 0 ||
    SCHEDULES.has(source) ||
    [source, type, ...Object.keys(event)].some(text => typeof text === 'string' && /warm/i.test(text))
  )
}

/** Returns the reply to a warm-up, which is for whoever tries the function by hand. */
export function warmUpReply(): HttpReply {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: '{"status":"warm"}',
    isBase64Encoded: false,
  }
}
