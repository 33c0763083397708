import type { Clock } from '../lib/clock.ts'

/** As much of a client of the AWS SDK v3 as is needed here, whichever service it is for. */
export interface AwsClient {
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
 * Tells the clock the `Date` of each reply that the client gets, and when its request was sent: of each attempt by itself,
 * and of errors too, since a server that refuses a request for its skewed time answers with the right one.
 */
export function observeDates(client: AwsClient, clock: Clock): void {
  client.middlewareStack.add(
    next => async args => {
      const observed = clock.observe()
      const reply = await next(args)
      const date = dateOf(reply.response)
      if (date !== undefined) observed(new Date(date))
      return reply
    },
    // the innermost place: no retry lies between, and nothing has been made an error yet
    { step: 'deserialize', name: 'observeDates', priority: 'low' },
  )
}

function dateOf(response: unknown): string | undefined {
  const { headers } = response as { headers?: Record<string, string | undefined> }
  return headers?.date
}
