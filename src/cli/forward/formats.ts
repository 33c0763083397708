import { formatOcsf } from '../../audit/ocsf.ts'
import type { ParsedRecord } from '../../audit/parsed-record.ts'
import { renderCloudEvent } from './cloud-event.ts'

/** How records are sent. */
export interface ForwardFormat {
  readonly contentType: string
  /** Returns the body of a request. */
  render(records: readonly ParsedRecord[]): string
}

const NDJSON = 'application/x-ndjson'

export const FORWARD_FORMATS: Readonly<Record<string, ForwardFormat>> = {
  cloudevents: {
    contentType: 'application/cloudevents-batch+json',
    render: records => `[${records.map(renderCloudEvent).join(',\n')}]`,
  },
  ocsf: { contentType: NDJSON, render: linesOf(formatOcsf) },
  json: { contentType: NDJSON, render: linesOf(({ line }) => line) },
}

function linesOf(render: (record: ParsedRecord) => string): ForwardFormat['render'] {
  return records => records.map(record => `${render(record)}\n`).join('')
}
