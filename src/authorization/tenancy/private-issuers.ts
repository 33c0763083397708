import { isLoopback } from '../../lib/loopback.ts'

/** A form of `iss` that names one tenant, so that a JWT of somebody else has another `iss`. */
export interface PrivateIssuerForm {
  readonly name: string
  /** The whole `iss`, in the very spelling of JWTs: case, port and slashes included. */
  readonly pattern: RegExp
  readonly example: string
  /** The form has the tenant's name, not an id: this claim tells whether the name is still in the same hands. */
  readonly idClaim?: string
  /** Anybody can become a user of a tenant unless its owner turns that off. */
  readonly hasOpenSignUp?: true
}

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** One label of a host. */
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const REGION = '[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}'
/** A name in a path. */
const SLUG = '[A-Za-z0-9][A-Za-z0-9_-]*'

const whole = (pattern: string) => new RegExp(`^https://${pattern}$`)

export const PRIVATE_ISSUER_FORMS: readonly PrivateIssuerForm[] = [
  {
    name: 'Amazon EKS',
    pattern: whole(
      String.raw`(?:oidc\.eks\.${REGION}\.amazonaws\.com(?:\.cn)?|oidc-eks\.${REGION}\.(?:api\.aws|api\.amazonwebservices\.com\.cn))/id/[A-Z0-9]{32}`,
    ),
    example: 'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
  },
  {
    name: 'Google Kubernetes Engine',
    pattern: whole(
      String.raw`container\.googleapis\.com/v1/projects/[a-z0-9.:-]+/(?:locations|zones)/[a-z0-9-]+/clusters/[a-z0-9-]+`,
    ),
    example: 'https://container.googleapis.com/v1/projects/my-project/locations/us-central1/clusters/main',
  },
  {
    name: 'Azure Kubernetes Service',
    pattern: whole(
      String.raw`(?:[a-z0-9]+\.oic\.prod-aks\.azure\.com/${GUID}|oidc\.prod-aks\.azure\.com)/${GUID}/?`,
    ),
    example: `https://eastus.oic.prod-aks.azure.com/11111111-2222-3333-4444-555555555555/66666666-7777-8888-9999-000000000000/`,
  },
  {
    name: 'Kubernetes, from inside the cluster',
    pattern: whole(String.raw`kubernetes\.default(?:\.svc(?:\.cluster\.local)?)?`),
    example: 'https://kubernetes.default.svc.cluster.local',
  },
  {
    // what is wrong with some of its tenants is found before (`findEntraProblem`, the shared providers)
    name: 'Microsoft Entra ID',
    pattern: whole(
      String.raw`(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn)/${GUID}/v2\.0`,
    ),
    example: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
  },
  {
    name: 'Microsoft Entra ID, v1',
    pattern: whole(String.raw`sts\.(?:windows\.net|chinacloudapi\.cn)/${GUID}/`),
    example: 'https://sts.windows.net/11111111-2222-3333-4444-555555555555/',
  },
  {
    name: 'Okta',
    pattern: whole(
      String.raw`(?!(?:www|login|accounts|developer|help|status|support|trust)\.)${LABEL}\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:/oauth2/[A-Za-z0-9]+)?`,
    ),
    example: 'https://acme.okta.com/oauth2/default',
  },
  {
    name: 'Auth0',
    // everybody who has a tenant, which is free, is a user of these two
    pattern: whole(
      String.raw`(?!(?:auth0|manage)\.auth0\.com)${LABEL}(?:\.[a-z]{2}(?:-[0-9])?)?\.auth0\.com/`,
    ),
    example: 'https://acme.us.auth0.com/',
    hasOpenSignUp: true,
  },
  {
    name: 'Cognito user pools',
    pattern: whole(
      String.raw`(?:issuer-)?cognito-idp\.${REGION}\.amazonaws\.com(?:\.cn)?/${REGION}_[A-Za-z0-9]+`,
    ),
    example: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E',
    hasOpenSignUp: true,
  },
  {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
    name: 'AWS outbound identity federation',
    pattern: whole(String.raw`${GUID}\.tokens\.sts\.global\.api\.aws`),
    example: 'https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws',
  },
  {
    name: 'GitHub Actions of an enterprise',
    pattern: whole(
      String.raw`(?:token\.actions\.githubusercontent\.com/${SLUG}|token\.actions\.${LABEL}\.ghe\.com(?:/${SLUG})?)`,
    ),
    example: 'https://token.actions.githubusercontent.com/my-enterprise',
    idClaim: 'enterprise_id',
  },
  {
    name: 'Bitbucket Pipelines',
    pattern: whole(String.raw`api\.bitbucket\.org/2\.0/workspaces/${SLUG}/pipelines-config/identity/oidc`),
    example: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    idClaim: 'workspaceUuid',
  },
  {
    name: 'Azure DevOps',
    pattern: whole(String.raw`vstoken\.dev\.azure\.com/${GUID}`),
    example: 'https://vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555',
  },
  {
    name: 'CircleCI of an organization',
    pattern: whole(String.raw`oidc\.circleci\.com/org/${GUID}`),
    example: 'https://oidc.circleci.com/org/11111111-2222-3333-4444-555555555555',
  },
  {
    name: 'Vercel of a team',
    pattern: whole(String.raw`oidc\.vercel\.com/${SLUG}`),
    example: 'https://oidc.vercel.com/acme',
    idClaim: 'owner_id',
  },
  {
    name: 'Fly.io',
    // `personal` stands for whoever is logged in
    pattern: whole(String.raw`oidc\.fly\.io/(?!personal$)${SLUG}`),
    example: 'https://oidc.fly.io/acme',
    idClaim: 'org_id',
  },
  {
    name: 'Spacelift',
    pattern: whole(String.raw`(?!www\.)${LABEL}\.app\.(?:us\.)?spacelift\.io`),
    example: 'https://acme.app.spacelift.io',
  },
  {
    name: 'Semaphore',
    pattern: whole(String.raw`(?!www\.|id\.|me\.|docs\.)${LABEL}\.semaphoreci\.com`),
    example: 'https://acme.semaphoreci.com',
    idClaim: 'org_id',
  },
  {
    name: 'Harness',
    pattern: whole(String.raw`app\.harness\.io/ng/api/oidc/account/[A-Za-z0-9_-]+`),
    example: 'https://app.harness.io/ng/api/oidc/account/Ab12Cd34Ef56Gh78Ij90Kl',
  },
]

/** Returns the form of an `iss` that names one tenant, who need not be its operator's; undefined if none is known. */
export function findPrivateForm(issuer: string): PrivateIssuerForm | undefined {
  return PRIVATE_ISSUER_FORMS.find(({ pattern }) => pattern.test(issuer))
}

/** Returns the form that an issuer misses by its case or its end alone, and the `iss` in that form; undefined if there is none. */
export function findNearForm(issuer: string): { form: PrivateIssuerForm; iss: string } | undefined {
  const text = issuer.trim().replace(/\/+$/, '')
  for (const spelling of [text, text.toLowerCase()])
    for (const end of ['', '/', '/v2.0']) {
      const iss = spelling + end
      const form = findPrivateForm(iss)
      if (form && iss !== issuer) return { form, iss }
    }
  return undefined
}

/** Whether an issuer is on this machine, where nobody else gets JWTs from. */
export function isLocalIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false
  const { protocol, hostname, username, password } = new URL(issuer)
  return /^https?:$/.test(protocol) && isLoopback(hostname) && username + password === ''
}
