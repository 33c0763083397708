import { hostOf, normalizeIssuer } from './issuer-url.ts'

/** The tenant of all personal accounts: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** The tenants where every bot in the world gets its JWTs: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication */
export const BOT_TENANTS = ['d6d49420-f39b-4df7-a1dc-d59a935871db', 'f8cdef31-a31e-4b4a-93e4-5f571e91255a']

/** Microsoft's own tenants, for all and for governments, whose one app asks for the JWTs of all customers of Sentinel. */
const SENTINEL_TENANTS = ['33e01921-4d64-4f8c-a055-5bdaffd5e33d', 'cab8a31a-1906-4287-a0d8-4eef66b95f6e']

/** The clouds: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const HOSTS = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.microsoft.com',
  'login.windows.net',
  'login.chinacloudapi.cn',
  'sts.windows.net',
  'sts.chinacloudapi.cn',
]

/** Returns what JWTs of a tenant have as their `iss`: v2.0 and v1. */
export function issuersOfTenant(tenant: string): string[] {
  return [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`]
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Returns why an issuer of Microsoft Entra ID cannot be used, and what to write; undefined for all others. In the place of a
 * tenant, URLs may have its domain, or `common`, `organizations`, `consumers` and placeholders; JWTs have its id.
 */
export function findEntraProblem(issuer: string): string | undefined {
  const normalized = normalizeIssuer(issuer)
  const host = hostOf(normalized)
  if (!HOSTS.includes(host)) return undefined
  const tenant = normalized.slice(host.length + 1).split('/', 1)[0] ?? ''
  if (!GUID.test(tenant))
    return `is in no JWT, because Entra writes the id of a tenant in the place of ${tenant ? `\`${tenant}\`` : 'the tenant'}: write the id of yours, https://login.microsoftonline.com/TENANT-ID/v2.0 (or https://sts.windows.net/TENANT-ID/, if your JWTs have that)`
  if (SENTINEL_TENANTS.includes(tenant))
    return 'is shared by all customers of Microsoft Sentinel, and no claim of its JWTs tells one from another: jeton cannot accept them'
  const spellings = spellingsOf(tenant, host)
  // those of the tenants that are shared are known to the letter elsewhere
  if (spellings.includes(issuer) || [PERSONAL_TENANT, ...BOT_TENANTS].includes(tenant)) return undefined
  return `is in no JWT: those of this tenant have ${spellings.map(iss => `\`${iss}\``).join(' or ')}, to the letter`
}

/** Returns what JWTs of a tenant have in the cloud that a host belongs to. */
function spellingsOf(tenant: string, host: string): string[] {
  if (host.endsWith('.cn'))
    return [
      `https://login.partner.microsoftonline.cn/${tenant}/v2.0`,
      `https://sts.chinacloudapi.cn/${tenant}/`,
    ]
  if (host.endsWith('.us'))
    return [`https://login.microsoftonline.us/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`]
  return issuersOfTenant(tenant)
}
