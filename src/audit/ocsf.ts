import { printableJson } from '../lib/printable.ts'
import { isLifecycleType, type LifecycleRecord } from './lifecycle-record.ts'
import { OCSF_VERSION, type OcsfEvent, recordedMs, recordedText } from './ocsf-event.ts'
import { lifecycleAttributes } from './ocsf-lifecycle.ts'
import { requestAttributes } from './ocsf-request.ts'
import type { ParsedRecord } from './parsed-record.ts'

/**
 * Returns a record as an OCSF event. A request is API Activity (6003), whatever was decided: Authentication reports logons,
 * which follow at the database, and Authorize Session demands the user and the privileges that a refusal does not have. A
 * lifecycle record is Application Lifecycle (6002). What the schema has no place for is in `unmapped`, by its name in the
 * record. Holds no secret, because records hold none.
 */
export function ocsfEvent({ type, record }: ParsedRecord): OcsfEvent {
  const members: Readonly<Record<string, unknown>> = { ...record }
  const isLifecycle = isLifecycleType(type)
  const { profiles, ...attributes } = isLifecycle
    ? { profiles: undefined, ...lifecycleAttributes({ ...record, type } as unknown as LifecycleRecord) }
    : requestAttributes(record)
  return {
    ...attributes,
    time: recordedMs(record.time) ?? 0,
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'jeton', vendor_name: 'jeton', version: recordedText(members.jeton) },
      uid: record.id,
      profiles,
      event_code: type,
      log_name: 'audit',
      log_version: recordedText(members.v),
      original_time: recordedText(record.time),
      is_truncated: members.cut === undefined ? undefined : true,
    },
  }
}

/** Returns a record as an OCSF event, on one line and without anything unprintable. */
export function formatOcsf(parsed: ParsedRecord): string {
  return printableJson(ocsfEvent(parsed))
}
