import { hostOf, normalizeIssuer } from './issuer-url.ts'

/** The tenant of all personal accounts: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Microsoft's own tenant, whose one app asks for the JWTs of all customers of Sentinel. */
const SENTINEL_TENANT = '33e01921-4d64-4f8c-a055-5bdaffd5e33d'

/** The clouds: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const HOSTS = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'sts.windows.net',
  'sts.chinacloudapi.cn',
]

/** What stands for a tenant in the URLs by which people of many tenants log in, and in documentation. */
const NO_TENANTS = ['common', 'organizations', 'consumers', '{tenantid}', '{tenant}']

/** Returns why an issuer of Microsoft Entra ID cannot be used, and what to write; undefined for all others. */
export function findEntraProblem(issuer: string): string | undefined {
  const normalized = normalizeIssuer(issuer)
  const host = hostOf(normalized)
  if (!HOSTS.includes(host)) return undefined
  const tenant = normalized.slice(host.length + 1).split('/', 1)[0] ?? ''
  if (NO_TENANTS.includes(tenant))
    return `is in no JWT, because Entra writes the id of a tenant in the place of \`${tenant}\`: write the id of yours, https://login.microsoftonline.com/TENANT-ID/v2.0 (or https://sts.windows.net/TENANT-ID/, if your JWTs have that)`
  if (tenant === SENTINEL_TENANT)
    return 'is shared by all customers of Microsoft Sentinel, and no claim of its JWTs tells one from another: jeton cannot accept them'
  return undefined
}
