import type { ParsedRecord } from '../../audit/parsed-record.ts'
import { CallerError } from '../../client/errors.ts'
import { backoffMs, jitteredMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { escapeText, shorten } from '../../lib/printable.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ForwardFormat } from './formats.ts'
import type { ForwardState } from './forward-state.ts'
import type { Receiver, SendOutcome } from './receiver.ts'

export interface DeliverParts {
  receiver: Receiver
  format: ForwardFormat
  /** Ids of records that are not sent: the operator gave up on them. */
  skippedIds: readonly string[]
  /** How long a batch is tried again for; Infinity unless the command ends with what is there. */
  patienceMs: number
  clock: Clock
  random: () => number
  log: Log
  state: ForwardState
  /** No request begins after it has aborted. */
  stop: AbortSignal
  /** Ends a request that is under way. */
  abort: AbortSignal
}

/** Sends records in order. Resolves with whether all are delivered, or it was stopped before. Rejects if they never will be. */
export type Deliver = (
  records: readonly ParsedRecord[],
  onAcknowledged: (count: number) => Promise<void>,
) => Promise<boolean>

type Settled = Exclude<SendOutcome, { kind: 'later' }>
type Refusal = Extract<SendOutcome, { kind: 'refused' }>

const BACKOFF = { firstMs: 1000, maxMs: 60_000 }
const JITTER = { low: 0.75, high: 1.25 }
/** A receiver that asks for more is asked again all the same. */
const MAX_RETRY_AFTER_MS = 60 * 60_000

/**
 * Returns the function that delivers records: it tries again for as long as a fault may pass, halves what is refused because of
 * what is in it until one record is left, and reports each time how many of them the receiver has acknowledged.
 */
export function createDeliver(parts: DeliverParts): Deliver {
  const { receiver, format, skippedIds, patienceMs, clock, random, log, state, stop, abort } = parts
  /** Lowered if the receiver finds a body too large. */
  let maxRecords = Number.POSITIVE_INFINITY

  /** Resolves with undefined once it is stopped. */
  async function sendUntilSettled(records: readonly ParsedRecord[]): Promise<Settled | undefined> {
    const body = { contentType: format.contentType, text: format.render(records) }
    const giveUpAt = clock.now() + patienceMs
    for (let retries = 0; ; retries++) {
      if (stop.aborted) return undefined
      const outcome = await receiver.send(body, abort)
      state.onAnswer(outcome)
      if (outcome.kind !== 'later') {
        if (retries > 0) log.info({ event: 'forward_recovered' }, 'the receiver answers again')
        return outcome
      }
      if (abort.aborted) return undefined
      const { problem, retryAfterMs } = outcome
      const ownMs = jitteredMs(backoffMs(retries, BACKOFF), { ...JITTER, random: random() })
      const delayMs = Math.min(Math.max(retryAfterMs ?? 0, ownMs), MAX_RETRY_AFTER_MS)
      if (clock.now() + delayMs > giveUpAt)
        throw new CallerError(`the receiver ${problem}`, { exitCode: 4, isTemporary: true })
      const seconds = Math.ceil(delayMs / 1000)
      log.warn(
        { event: 'forward_waiting', problem, seconds },
        'the receiver takes no records now; they stay in the log',
      )
      await clock.sleep(delayMs, stop).catch(() => {})
    }
  }

  return async (records, onAcknowledged) => {
    const wanted = records.filter(({ record }) => !skippedIds.includes(record.id))
    for (const { record } of records)
      if (skippedIds.includes(record.id))
        log.warn(
          { event: 'forward_record_skipped', id: record.id },
          'this record is not sent, as --skip says',
        )
    const parts = chunksOf(wanted, maxRecords)
    if (parts.length === 0) await onAcknowledged(records.length)
    for (let part = parts.shift(); part; part = parts.shift()) {
      const outcome = await sendUntilSettled(part)
      if (outcome === undefined) return false
      if (outcome.kind === 'accepted') {
        state.onDelivered(part.length)
        const [next] = parts[0] ?? []
        await onAcknowledged(next ? records.indexOf(next) : records.length)
        continue
      }
      if (!outcome.isOfRecords || part.length === 1) throw refusalOf(outcome, part)
      const half = Math.ceil(part.length / 2)
      if (outcome.isTooLarge) maxRecords = half
      parts.unshift(...chunksOf(part, half))
      const { problem } = outcome
      log.info(
        { event: 'forward_batch_halved', problem, records: half },
        'a batch is refused: it is sent in halves',
      )
    }
    return true
  }
}

function chunksOf<T>(values: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let start = 0; start < values.length; start += size) chunks.push(values.slice(start, start + size))
  return chunks
}

function refusalOf({ problem, isOfRecords }: Refusal, [first]: readonly ParsedRecord[]): CallerError {
  if (!isOfRecords || !first)
    return new CallerError(`the receiver ${problem}, which will not pass by itself: ${REMEDY}`, {
      exitCode: 3,
    })
  const id = shorten(escapeText(first.record.id), MAX_ID_LENGTH)
  return new CallerError(
    `the receiver ${problem} to the record ${id} of ${first.record.time} alone: have it accepted there, or give it up with --skip`,
    { exitCode: 3 },
  )
}

const MAX_ID_LENGTH = 100
const REMEDY = 'check its URL, the credential, and which format it takes; nothing is lost, the cursor stays'
