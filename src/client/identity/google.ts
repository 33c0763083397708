import { parseLocalUrl } from './local-url.ts'
import { METADATA_URL, metadataAnswers } from './metadata-server.ts'
import type { PlatformHost } from './platform.ts'
import { requestJwtDirectly } from './request-jwt.ts'

const HEADERS = { 'metadata-flavor': 'Google' }
const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity'

/** Whether the environment says that this is Cloud Run, a function of Google's, or a machine with a metadata server of Google's. */
export function isGoogle({ env }: PlatformHost): boolean {
  return Boolean(env.GCE_METADATA_HOST || env.K_SERVICE || env.CLOUD_RUN_JOB || env.FUNCTION_NAME)
}

/** Whether Google's metadata server answers, as in a VM or a pod of GKE. Throws CallerError if it is busy. */
export function isGoogleMachine(host: PlatformHost): Promise<boolean> {
  const isExpected = ({ headers }: { headers: Readonly<Record<string, string | undefined>> }) =>
    headers['metadata-flavor'] === 'Google'
  return metadataAnswers({ url: new URL(METADATA_URL), headers: HEADERS }, { host, isExpected })
}

/**
 * Requests an identity token of the service account. On VMs it names the instance, too.
 * https://cloud.google.com/compute/docs/instances/verifying-instance-identity
 */
export function requestGoogleIdentity(host: PlatformHost): Promise<string> {
  const url = new URL(IDENTITY, metadataUrl(host))
  url.searchParams.set('audience', host.audience)
  url.searchParams.set('format', 'full')
  const cures = { 404: 'this machine has no service account: attach one' }
  return requestJwtDirectly({ url, headers: HEADERS, cures }, host)
}

/** By address where the environment says nothing: its name, which is looked up slowly elsewhere, would hold a laptop up. */
function metadataUrl(host: PlatformHost): URL {
  const { GCE_METADATA_HOST: name } = host.env
  if (name) return parseLocalUrl(`http://${name}`, 'GCE_METADATA_HOST')
  return new URL(isGoogle(host) ? 'http://metadata.google.internal' : METADATA_URL)
}
