import { isJsonObject } from '../lib/json.ts'
import type { HttpReply } from './reply.ts'

/**
 * Sources of events that come by the clock: EventBridge's rules and its Scheduler.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
const SCHEDULES: ReadonlySet<unknown> = new Set(['aws.events', 'aws.scheduler'])

/** What tools that keep functions warm say in the name of a member or in its value. */
const WARM_UP = /warm|^ping$/i

/**
 * Returns whether an event asks for nothing but an execution environment that is ready: that of a schedule, of a tool that
 * keeps functions warm (`{"warmer":true}`, `{"source":"serverless-plugin-warmup"}`, `{"ping":true}`), or an empty one, such as
 * a test from the console. Only for events that are no request.
 */
export function isWarmUp(event: unknown): boolean {
  if (event === null) return true
  if (!isJsonObject(event)) return false
  const texts = Object.entries(event).flat()
  return (
    texts.length === 0 ||
    SCHEDULES.has(event.source) ||
    texts.some(text => typeof text === 'string' && WARM_UP.test(text))
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
