import type { Clock } from '../../src/clock.ts'
import { createLooseEnds } from '../../src/loose-ends.ts'
import type { Shelf } from '../../src/shelf/shelf.ts'
import { type Book, createBook, type Held } from '../../src/tokens/book.ts'
import { type TokenKey, tokenKey } from '../../src/tokens/key.ts'
import type { Roles } from '../../src/tokens/key-session.ts'
import { createPace } from '../../src/tokens/pace.ts'
import { signToken } from '../../src/tokens/sign.ts'
import type { VirtualClock } from '../world/clock.ts'
import { rememberingLog } from '../world/log.ts'
import { ORDERS } from '../world/orders.ts'

export const MINUTE = 60_000
export const KEY = tokenKey({ database: ORDERS, user: 'migrator' })

/** One of several instances, with what it has done so far and what fails it. */
export interface Instance {
  readonly book: Book
  readonly log: ReturnType<typeof rememberingLog>
  readonly sts: { delayMs: number; fails: Error | undefined; lifeMs: number }
  readonly assumed: TokenKey[]
  readonly calls: { read: number; swap: number }
  /** What its shelf fails with. */
  readonly store: { fails: Error | undefined }
  /** Asks and hands out. */
  get(ask?: { refused?: string; key?: TokenKey }): Promise<Held>
  signed(): number
}

let sessions = 0

export function instance({ shelf, clock }: { shelf: Shelf; clock: Clock }): Instance {
  const log = rememberingLog()
  const sts: Instance['sts'] = { delayMs: 0, fails: undefined, lifeMs: 60 * MINUTE }
  const store: Instance['store'] = { fails: undefined }
  const calls = { read: 0, swap: 0 }
  const assumed: TokenKey[] = []
  let signed = 0
  const counted: Shelf = {
    async read(key) {
      calls.read++
      if (store.fails) throw store.fails
      return shelf.read(key)
    },
    async swap(change) {
      calls.swap++
      if (store.fails) throw store.fails
      return shelf.swap(change)
    },
  }
  const roles: Roles = {
    check() {},
    async assume(key) {
      assumed.push(key)
      if (sts.delayMs > 0) await clock.sleepUntil(clock.now() + sts.delayMs)
      if (sts.fails) throw sts.fails
      const n = ++sessions
      return {
        accessKeyId: `ASIA${n}`,
        secretAccessKey: `secret${n}`,
        sessionToken: `session${n}`,
        expiresAt: clock.now() + sts.lifeMs,
        identity: key.sessionName,
      }
    },
  }
  const book = createBook({
    roles,
    shelf: counted,
    pace: createPace({ shelf: counted, clock }),
    looseEnds: createLooseEnds(),
    clock,
    log,
    random: () => 0.5,
    sign(key, what) {
      signed++
      return signToken(key, what)
    },
  })
  return {
    book,
    log,
    sts,
    assumed,
    calls,
    store,
    signed: () => signed,
    async get({ refused, key = KEY } = {}) {
      const held = await book.current(key, { refused })
      await held.handOut()
      return held
    },
  }
}

/** Lets time go by until the work is done, in steps of 5 ms. */
export async function during<T>(clock: VirtualClock, work: Promise<T>, limitMs = 30_000): Promise<T> {
  let isDone = false
  const watch = () => {
    isDone = true
  }
  work.then(watch, watch)
  for (let passed = 0; !isDone && passed < limitMs; passed += 5) await clock.advance(5)
  return work
}
