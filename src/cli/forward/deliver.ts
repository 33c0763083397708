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

type Deferral = Extract<SendOutcome, { kind: 'later' }>
type Refusal = Extract<SendOutcome, { kind: 'refused' }>

const BACKOFF = { firstMs: 1000, maxMs: 60_000 }
const JITTER = { low: 0.75, high: 1.25 }
/** A receiver that asks for more is asked again all the same. */
const MAX_RETRY_AFTER_MS = 60 * 60_000
/** By which part of it a batch grows again with each that is accepted, after it was halved. */
const GROWTH = 1 / 8

/**
 * Returns the function that delivers records: it tries again for as long as a fault may pass, halves what is too much or refused
 * for what is in it until one record is left, and reports each time how many of them the receiver has acknowledged.
 */
export function createDeliver(parts: DeliverParts): Deliver {
  const { receiver, format, skippedIds, patienceMs, clock, random, log, state, stop, abort } = parts
  /** Lowered by what is too much for the receiver. */
  let maxRecords = Number.POSITIVE_INFINITY

  async function send(records: readonly ParsedRecord[]): Promise<SendOutcome> {
    const outcome = await receiver.send(
      { contentType: format.contentType, text: format.render(records) },
      abort,
    )
    state.onAnswer(outcome)
    if (outcome.kind === 'accepted') {
      if (records.length === maxRecords) maxRecords += Math.ceil(maxRecords * GROWTH)
    } else if (outcome.isOfBatch) maxRecords = Math.ceil(records.length / 2)
    return outcome
  }

  /** Throws if it would take longer than until `giveUpAt`. */
  async function waitFor(
    { problem, retryAfterMs }: Deferral,
    { retries, giveUpAt }: { retries: number; giveUpAt: number },
  ): Promise<void> {
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

  /** Resolves with how many of the first of these records are accepted; undefined if it was stopped before. */
  async function deliverSome(records: readonly ParsedRecord[]): Promise<number | undefined> {
    const giveUpAt = clock.now() + patienceMs
    for (let retries = 0; !stop.aborted; ) {
      const some = records.slice(0, maxRecords)
      const outcome = await send(some)
      if (outcome.kind === 'later') {
        if (abort.aborted) return undefined
        await waitFor(outcome, { retries: retries++, giveUpAt })
        continue
      }
      if (retries > 0) log.info({ event: 'forward_recovered' }, 'the receiver answers again')
      retries = 0
      if (outcome.kind === 'accepted') return some.length
      if (!outcome.isOfBatch || some.length === 1) throw refusalOf(outcome, some)
      log.info(
        { event: 'forward_batch_halved', problem: outcome.problem, records: maxRecords },
        'a batch is refused: it is sent in halves',
      )
    }
    return undefined
  }

  return async (records, onAcknowledged) => {
    const isSkipped = ({ record }: ParsedRecord) => skippedIds.includes(record.id)
    const wanted = records.filter(each => !isSkipped(each))
    for (const { record } of records.filter(isSkipped))
      log.warn({ event: 'forward_record_skipped', id: record.id }, 'this record is not sent, as --skip says')
    if (wanted.length === 0) await onAcknowledged(records.length)
    for (let rest = wanted; rest.length > 0; ) {
      const count = await deliverSome(rest)
      if (count === undefined) return false
      state.onDelivered(count)
      rest = rest.slice(count)
      const [next] = rest
      await onAcknowledged(next ? records.indexOf(next) : records.length)
    }
    return true
  }
}

function refusalOf({ problem, isOfBatch }: Refusal, [first]: readonly ParsedRecord[]): CallerError {
  if (!isOfBatch || !first)
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
