import { isJsonObject } from '../../lib/json.ts'
import { singleWord } from './credential-text.ts'
import { parseLocalUrl } from './local-url.ts'
import { METADATA_URL, metadataAnswers } from './metadata-server.ts'
import type { PlatformHost } from './platform.ts'
import { requestJwtDirectly } from './request-jwt.ts'

const RESOURCE_CURE =
  'set JETON_AUDIENCE to the App ID URI of an app registration of the tenant, and AZURE_CLIENT_ID if there are several identities'
const METADATA_HEADERS = { metadata: 'true' }

/** Whether this is App Service, Functions or Container Apps: not Service Fabric, nor Arc. */
export function isAzureAppService({ env }: PlatformHost): boolean {
  const isOther = env.IDENTITY_SERVER_THUMBPRINT || env.IMDS_ENDPOINT
  return Boolean(env.IDENTITY_ENDPOINT && env.IDENTITY_HEADER && !isOther)
}

/** https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity */
export function requestAppServiceIdentity(host: PlatformHost): Promise<string> {
  const { IDENTITY_ENDPOINT: endpoint = '', IDENTITY_HEADER: secret = '' } = host.env
  const url = withResource(parseLocalUrl(endpoint, 'IDENTITY_ENDPOINT'), { host, apiVersion: '2019-08-01' })
  const headers = { 'x-identity-header': singleWord(secret, 'IDENTITY_HEADER') }
  return requestJwtDirectly({ url, headers, member: 'access_token', cures: { 400: RESOURCE_CURE } }, host)
}

/** Whether Azure's metadata server answers. A pod of Kubernetes is no VM: the identity there is the node's. Throws CallerError if it is busy. */
export async function isAzureMachine(host: PlatformHost): Promise<boolean> {
  if (host.env.KUBERNETES_SERVICE_HOST) return false
  const url = new URL('/metadata/instance?api-version=2021-02-01', METADATA_URL)
  return metadataAnswers(
    { url, headers: METADATA_HEADERS },
    { host, isExpected: ({ status, body }) => status === 200 && isJsonObject(body) && 'compute' in body },
  )
}

/** https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token */
export function requestMachineIdentity(host: PlatformHost): Promise<string> {
  const url = withResource(new URL('/metadata/identity/oauth2/token', METADATA_URL), {
    host,
    apiVersion: '2018-02-01',
  })
  const cures = { 400: `no managed identity, or ${RESOURCE_CURE}` }
  return requestJwtDirectly({ url, headers: METADATA_HEADERS, member: 'access_token', cures }, host)
}

function withResource(url: URL, { host, apiVersion }: { host: PlatformHost; apiVersion: string }): URL {
  url.searchParams.set('api-version', apiVersion)
  url.searchParams.set('resource', host.audience)
  if (host.env.AZURE_CLIENT_ID) url.searchParams.set('client_id', host.env.AZURE_CLIENT_ID)
  return url
}
