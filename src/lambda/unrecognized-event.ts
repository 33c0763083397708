import { JetonError } from '../errors.ts'
import { isJsonObject } from '../lib/json.ts'
import { shorten } from '../lib/printable.ts'
import type { Log } from '../telemetry/log.ts'

/** Enough to tell which service sent it. */
const MAX_NAMES = 10
const MAX_NAME_LENGTH = 40

/** Logs that an event is neither a request nor a warm-up, with the names of its members, and returns the error to answer with. */
export function unrecognizedEvent(event: unknown, log: Log): JetonError {
  const members = isJsonObject(event)
    ? Object.keys(event)
        .slice(0, MAX_NAMES)
        .map(name => shorten(name, MAX_NAME_LENGTH))
    : typeof event
  log.warn(
    { event: 'event_not_recognized', members },
    'the function was called with an event that is no HTTP request; see what calls it',
  )
  return new JetonError('invalid_request', {
    publicMessage:
      'the event is not an HTTP request: call this function through an HTTP API, a REST API, a function URL, an Application Load Balancer or VPC Lattice',
  })
}
