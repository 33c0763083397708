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

/** What stands for a tenant in the URLs by which people of many tenants log in, and in documentation. So may a domain. */
const NO_TENANTS = ['common', 'organizations', 'consumers', '{tenantid}', '{tenant}']

/** Returns what JWTs of a tenant have as their `iss`: v2.0 and v1. */
export function issuersOfTenant(tenant: string): string[] {
  return [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`]
}

/** Returns why an issuer of Microsoft Entra ID cannot be used, and what to write; undefined for all others. */
export function findEntraProblem(issuer: string): string | undefined {
  const normalized = normalizeIssuer(issuer)
  const host = hostOf(normalized)
  if (!HOSTS.includes(host)) return undefined
  const tenant = normalized.slice(host.length + 1).split('/', 1)[0] ?? ''
  if (NO_TENANTS.includes(tenant) || tenant.includes('.'))
    return `is in no JWT, because Entra writes the id of a tenant in the place of \`${tenant}\`: write the id of yours, https://login.microsoftonline.com/TENANT-ID/v2.0 (or https://sts.windows.net/TENANT-ID/, if your JWTs have that)`
  if (SENTINEL_TENANTS.includes(tenant))
    return 'is shared by all customers of Microsoft Sentinel, and no claim of its JWTs tells one from another: jeton cannot accept them'
  return undefined
}
