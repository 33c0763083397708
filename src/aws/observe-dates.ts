import type { Clock } from '../lib/clock.ts'

/** The part of an AWS SDK v3 client that `observeDates` needs, for any service. */
export interface DatedClient {
  readonly middlewareStack: {
    add(
      middleware: <Args, Reply extends { response: unknown }>(
        next: (args: Args) => Promise<Reply>,
      ) => (args: Args) => Promise<Reply>,
      options: { step: 'deserialize'; name: string; priority: 'low' },
    ): void
  }
}

/**
 * Passes the `Date` of each reply that the client gets to the clock, with the time at which its request was sent. That
 * includes retries and errors: a server that refuses a request for its skewed time replies with the right time.
 */
export function observeDates(client: DatedClient, clock: Clock): void {
  client.middlewareStack.add(
    next => async args => {
      const onDate = clock.observe()
      const reply = await next(args)
      const date = dateHeader(reply.response)
      if (date !== undefined) onDate(new Date(date))
      return reply
    },
    // innermost: within each retry, and before a reply becomes an error
    { step: 'deserialize', name: 'observeDates', priority: 'low' },
  )
}

function dateHeader(response: unknown): string | undefined {
  const { headers } = response as { headers?: Record<string, string | undefined> }
  return headers?.date
}
