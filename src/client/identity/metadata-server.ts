import { type HttpRequest, type ParsedReply, sendRequest } from '../http.ts'
import type { PlatformHost } from './platform.ts'

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

/** Whether a metadata server gives an answer that `isExpected`. Never throws. */
export async function metadataAnswers(
  request: HttpRequest,
  { host, isExpected }: { host: PlatformHost; isExpected: (reply: ParsedReply) => boolean },
): Promise<boolean> {
  try {
    return isExpected(await askMetadata(request, host))
  } catch {
    return false
  }
}
