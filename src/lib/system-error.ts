import { proxyOf } from './proxy-failure.ts'

/**
 * Returns the system's code of an error's cause, as fetch sets it (`ECONNREFUSED`), or else its own (`ENOENT`); undefined if
 * neither has one. For texts that must not hold the message: those of fetch and the file system quote URLs and paths.
 */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (codeOf(error.cause) ?? codeOf(error)) : undefined
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Returns the same code to end a sentence with, and the proxy that the request went through, if any:
 * ` through the proxy proxy.example.com:3128 (ECONNREFUSED)`, ` (ECONNREFUSED)`, or empty text.
 */
export function systemCodeNote(error: unknown): string {
  const proxy = proxyOf(error)
  const code = systemCode(error)
  const through = proxy === undefined ? '' : ` through the proxy ${proxy}`
  return code === undefined ? through : `${through} (${code})`
}

/** Returns the message of an error, or `otherwise` if what was thrown is not an Error. Only for messages without secrets. */
export function messageOf(error: unknown, otherwise = 'it failed'): string {
  return error instanceof Error ? error.message : otherwise
}
