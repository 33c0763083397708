import type { ParsedRecord } from '../../audit/parsed-record.ts'
import type { AuditRecord } from '../../audit/record.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { isJsonObject } from '../../lib/json.ts'
import { escapeUnprintable, printableJson } from '../../lib/printable.ts'

/**
 * Returns a record as a CloudEvent in JSON: `data` is the record exactly as it was recorded. Records are read as anybody may have
 * written them: attributes that are no text without control characters are left out or escaped, as CloudEvents demands.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function renderCloudEvent({ line, type, record }: ParsedRecord): string {
  const { id, time, decision, instance } = record
  const attributes = {
    specversion: '1.0',
    id: attributeText(id) ?? sha256Hex(line),
    source: `/jeton/${encodeURIComponent(attributeText(instance) ?? '')}`,
    type: decision === undefined ? type : `${type}.${attributeText(decision)}`,
    time,
    subject: subjectOf(record),
    datacontenttype: 'application/json',
  }
  return `${printableJson(attributes).slice(0, -1)},"data":${line}}`
}

/** Returns who it is about, by the names that grants use; undefined if the record names nobody. */
function subjectOf({ principal }: AuditRecord): string | undefined {
  if (!isJsonObject(principal)) return undefined
  const [issuer, subject] = [attributeText(principal.issuer), attributeText(principal.subject)]
  return issuer && subject && `${issuer}/${subject}`
}

function attributeText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? escapeUnprintable(value) : undefined
}
