import { findRepeatedHeader } from '../http/repeated-headers.ts'
import { isJsonObject } from '../lib/json.ts'
import { groupBy } from '../lib/maps.ts'
import { type HttpEvent, malformedEvent } from './event-kind.ts'

/** Headers by their names in lower case. */
export type EventHeaders = Record<string, string>

/** The header that passes the request's id on to the app; one that the caller sent is dropped. */
export const REQUEST_ID_HEADER = 'x-request-id'

/**
 * Returns an event's headers with the values of one name joined (RFC 9110, 5.3), without those that AWS or the connection
 * decides. Throws `invalid_request` if a value is not text, or if a header comes twice that must be one.
 */
export function readHeaders(sent: HttpEvent): EventHeaders {
  const fields = headerFieldsOf(sent)
  const repeated = findRepeatedHeader(fields.flat())
  if (repeated !== undefined) throw malformedEvent(`the request has more than one ${repeated} header`)
  const headers: EventHeaders = {}
  for (const [name, values] of groupBy(fields, ([name]) => name.toLowerCase()))
    headers[name] = values.map(([, value]) => value).join(', ')
  delete headers[REQUEST_ID_HEADER]
  delete headers['transfer-encoding']
  return headers
}

/**
 * Returns the names and values one by one. `headers` of a REST API, beside `multiValueHeaders`, have the last value of each
 * name alone; those of VPC Lattice are lists.
 */
function headerFieldsOf({ event }: HttpEvent): [name: string, value: string][] {
  const lists = event.multiValueHeaders || event.headers || {}
  if (!isJsonObject(lists)) throw malformedEvent('the headers of the event are not an object')
  return Object.entries(lists).flatMap(([name, list]) =>
    [list].flat().map((value): [string, string] => {
      if (typeof value !== 'string') throw malformedEvent('a header of the event is not text')
      return [name, value]
    }),
  )
}
