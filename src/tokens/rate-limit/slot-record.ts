import { isJsonObject } from '../../lib/json.ts'
import { groupBy } from '../../lib/maps.ts'
import { decodeRecord, encodeRecord } from '../../store/record-format.ts'
import type { HeldSlot, SlotUse } from './slot-share.ts'

/** More than the horizon has at the highest rate (97), with 40 slots that have passed. What is above it was not written by jeton. */
const MAX_HELD = 160
/** Longer names than the hashes of owners were not written by jeton. */
const MAX_NAME_LENGTH = 32

/** Never rename `turns/`, `next` and `held`: they are in the tables, and other releases read and write them. */
export const slotRecordKey = (resource: string) => `turns/${resource}`

/**
 * Returns the record of a resource's slots: the next free slot, which is all that older releases know, and by grant and
 * principal how long before it each reserved slot is (ms). 80 slots of 80 principals take about 1.8 KB, and each slot of another
 * grant 40 bytes.
 *
 *     {"v":1,"keepUntil":…,"next":1795428000300,"held":{"<grant>":{"<principal>":[300,100],"<principal>":[200]}}}
 */
export function encodeSlots({ next, held }: SlotUse): Buffer {
  const members = [...groupBy(held, ({ owner }) => owner.grant)].map(([grant, ofGrant]) => {
    const byPrincipal = [...groupBy(ofGrant, ({ owner }) => owner.principal)]
    const offsets = (slots: readonly HeldSlot[]) => slots.map(({ at }) => Math.round(next - at))
    return [grant, Object.fromEntries(byPrincipal.map(([principal, slots]) => [principal, offsets(slots)]))]
  })
  return encodeRecord({ keepUntil: next, next, held: Object.fromEntries(members) })
}

/**
 * Returns what a record says of slots; no slot for one without a time, which must not stop the database's tokens and is
 * overwritten. Nothing in it is believed that no instance can have written: what is not a hash, a time or a list is left
 * out. A record without `held`, of an older release, has no slots that count for anybody. Throws as `decodeRecord` does.
 */
export function decodeSlots(bytes: Uint8Array, { key, now }: { key: string; now: number }): SlotUse {
  const record = decodeRecord(bytes, { key, now })
  const next = record?.next
  if (typeof next !== 'number' || !Number.isFinite(next)) return NO_SLOTS
  return { next, held: heldSlots(record?.held, next) }
}

export const NO_SLOTS: SlotUse = { next: 0, held: [] }

function heldSlots(byGrant: unknown, next: number): HeldSlot[] {
  const slots: HeldSlot[] = []
  for (const [grant, byPrincipal] of membersOf(byGrant))
    for (const [principal, offsets] of membersOf(byPrincipal))
      for (const offset of Array.isArray(offsets) ? offsets : []) {
        if (slots.length === MAX_HELD) return []
        if (Number.isInteger(offset) && offset > 0)
          slots.push({ at: next - offset, owner: { grant, principal } })
      }
  return slots.sort((a, b) => a.at - b.at)
}

function membersOf(value: unknown): [string, unknown][] {
  return isJsonObject(value) ? Object.entries(value).filter(([name]) => name.length <= MAX_NAME_LENGTH) : []
}
