/** A function whose calls join the one under way instead of starting another. */
export interface SingleFlight<Args extends readonly unknown[], T> {
  /** Starts the work, or joins the flight under way; the arguments of a call that joins are ignored. */
  (...args: Args): Promise<T>
  isUnderWay(): boolean
}

/**
 * Runs `work` once for all concurrent callers, who share its result or its rejection; nothing is remembered afterwards.
 * The flight is over before any caller sees how it ended, so a caller that calls again starts a new one.
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
  /** The flight under way for the key, to be joined; undefined when there is none. */
  get(key: string): Promise<T> | undefined
  has(key: string): boolean
}

/** As `singleFlight`, with one flight for each key at a time. */
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

/** Memoizes an async factory. Concurrent calls share one promise; a rejection is not cached. */
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
