import { CallerError } from '../errors.ts'
import { type HttpRequest, type ParsedReply, sendRequest } from '../http.ts'
import type { PlatformHost } from './platform.ts'
import { answerFailure } from './request-jwt.ts'

/** Where the metadata servers of AWS, Azure and Google answer, if there is one. */
export const METADATA_URL = 'http://169.254.169.254'

/** Elsewhere, nothing at all answers at these addresses: nobody waits longer to find that out. */
const PROBE_TIMEOUT_MS = 1000

/** Sends a request to a metadata server: without a proxy, and with the time that a probe has, since such servers are near. */
export function askMetadata(
  request: HttpRequest,
  host: PlatformHost,
  { timeoutMs = PROBE_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<ParsedReply> {
  return sendRequest(request, { ...host, send: host.sendDirectly }, { timeoutMs })
}

/** Whether a metadata server gives an answer that `isExpected`. Throws CallerError if it answers that it is busy. */
export async function metadataAnswers(
  request: HttpRequest,
  { host, isExpected }: { host: PlatformHost; isExpected: (reply: ParsedReply) => boolean },
): Promise<boolean> {
  try {
    const reply = await askMetadata(request, host)
    if (isExpected(reply)) return true
    if (reply.status < 400) return false
    throw answerFailure(reply, { name: "this machine's metadata server", host })
  } catch (cause) {
    return noneUnlessBusy(cause)
  }
}

/** Returns false for an error of a server that is none of the platform's, or not there. Throws that of one that is busy. */
export function noneUnlessBusy(cause: unknown): false {
  if (cause instanceof CallerError && cause.exitCode === 4) throw cause
  return false
}
