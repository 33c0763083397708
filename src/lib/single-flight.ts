/** A function whose calls join the one under way instead of starting another. */
export interface SingleFlight<Args extends readonly unknown[], T> {
  /** Starts the work, or joins the flight under way; the arguments of a call that joins are ignored. */
  (...args: Args): Promise<T>
  /** Whether a flight is under way. */
  isUnderWay(): boolean
}

/**
 * Returns a function that runs `work` once for all concurrent callers: they share its result or its rejection, and nothing
 * is remembered afterwards. The flight is over before any caller sees how it ended, so the next call starts a new one.
 */
export function singleFlight<Args extends readonly unknown[], T>(
  work: (...args: Args) => Promise<T>,
): SingleFlight<Args, T> {
  let flight: Promise<T> | undefined

  function run(...args: Args): Promise<T> {
    flight ??= work(...args).finally(() => {
      flight = undefined
    })
    return flight
  }

  return Object.assign(run, { isUnderWay: () => flight !== undefined })
}

export interface SingleFlightByKey<T> {
  /** Starts `work` for the key, or joins its flight under way: `work` is then not called. */
  run(key: string, work: () => Promise<T>): Promise<T>
  /** Returns the flight under way for the key, so that callers can join it; undefined if there is none. */
  get(key: string): Promise<T> | undefined
  has(key: string): boolean
}

/** Returns the same as `singleFlight`, with one flight for each key at a time. */
export function singleFlightByKey<T>(): SingleFlightByKey<T> {
  const flights = new Map<string, Promise<T>>()
  return {
    run(key, work) {
      const flight = flights.get(key) ?? work().finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
    get: key => flights.get(key),
    has: key => flights.has(key),
  }
}

/** Returns a memoized async factory. Concurrent calls share one promise; a rejection is not cached. */
export function memoizeAsync<T>(create: () => Promise<T>): () => Promise<T> {
  let created: Promise<T> | undefined
  return () => {
    created ??= create().catch(cause => {
      created = undefined
      throw cause
    })
    return created
  }
}
