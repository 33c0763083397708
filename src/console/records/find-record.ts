import type { FoundRecord, RecentRecords } from '../../audit/recent-records.ts'
import { JetonError } from '../../errors.ts'
import { textParameter } from './record-filters.ts'

/** Parameters of a request that say which record, and where it was found before; of any type. */
export interface RecordReference {
  readonly id: unknown
  readonly at: unknown
}

/**
 * Returns the record with this id: where it was, or else among the newest. Throws `not_found` if it is in neither: one may look
 * further back for it in the list.
 */
export async function findRecord(recent: RecentRecords, reference: RecordReference): Promise<FoundRecord> {
  const [id, at] = [textParameter(reference.id), textParameter(reference.at)]
  for (const before of at === undefined ? [undefined] : [at, undefined]) {
    const [found] = id ? (await recent.read({ id }, { limit: 1, before })).records : []
    if (found) return found
  }
  throw new JetonError('not_found', {
    publicMessage:
      'this record is not among the newest: it may have been rotated away, or be of another instance. Look further back for its id in Who got what, or with jeton audit query --id',
  })
}
