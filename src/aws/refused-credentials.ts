import { areCredentialsRefused } from './error-causes.ts'

interface Credentials {
  readonly accessKeyId: string
  readonly sessionToken?: string | undefined
}

/** The part of an AWS SDK v3 client that `replaceRefusedCredentials` needs, for any service. */
export interface SigningClient {
  readonly config: { credentials(options?: { forceRefresh: boolean }): Promise<Credentials> }
  readonly middlewareStack: {
    add(
      middleware: <Args, Reply>(next: (args: Args) => Promise<Reply>) => (args: Args) => Promise<Reply>,
      options: { step: 'initialize'; name: string },
    ): void
  }
}

/**
 * Lets a client search for credentials again when AWS refuses those that it has, and call once more if it finds others: the
 * SDK keeps credentials without an expiry for good, though whoever wrote them into a file may have replaced them since.
 */
export function replaceRefusedCredentials({ config, middlewareStack }: SigningClient): void {
  middlewareStack.add(
    next => async args => {
      const used = await config.credentials()
      try {
        return await next(args)
      } catch (cause) {
        if (!areCredentialsRefused(cause)) throw cause
        // a file that is being replaced may just not be there
        const found = await config.credentials({ forceRefresh: true }).catch(() => used)
        if (found.accessKeyId === used.accessKeyId && found.sessionToken === used.sessionToken) throw cause
        return next(args)
      }
    },
    { step: 'initialize', name: 'replaceRefusedCredentials' },
  )
}
