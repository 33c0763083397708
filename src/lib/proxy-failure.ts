/** The proxies that requests which failed went through, by their errors: those of libraries cannot be replaced by others. */
const proxies = new WeakMap<Error, string>()

/** Remembers which proxy (`HOST:PORT`) a request went through, and returns its error. */
export function markProxied(error: unknown, proxy: string): unknown {
  if (error instanceof Error) proxies.set(error, proxy)
  return error
}

/** Returns the proxy (`HOST:PORT`) that a request went through; undefined if it went directly. */
export function proxyOf(error: unknown): string | undefined {
  return error instanceof Error ? proxies.get(error) : undefined
}

/** Returns the error for a proxy that opened no tunnel, with a code such as `PROXY_ANSWERED_407`. */
export function proxyRefusal(status: number): Error {
  return Object.assign(new Error(`the proxy answered ${status}`), { code: `PROXY_ANSWERED_${status}` })
}

/** Returns the error for a proxy that says nothing, with the name that the AWS SDK gives to what takes too long. */
export function proxyTimeout(): Error {
  return Object.assign(new Error('the proxy opened no tunnel in time'), { name: 'TimeoutError' })
}
