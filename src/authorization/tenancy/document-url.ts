/** What ends the address of a document or an endpoint of an issuer, and is in no `iss`. */
const ENDS: readonly { end: RegExp; name: string }[] = [
  // OpenID Connect Discovery 1.0, 4, and RFC 8414, 3, which puts the path behind
  {
    end: /\/\.well-known\/(?:openid-configuration|oauth-authorization-server)(?=\/|$)/,
    name: 'its discovery document',
  },
  // with the paths of Kubernetes, EKS, Keycloak, Okta, Entra, GitLab and Google
  {
    end: /\/(?:\.well-known\/[^/]*jwks[^/]*|openid\/v1\/jwks|(?<=\/id\/[0-9A-Z]{32}\/)keys|protocol\/openid-connect\/certs|v1\/keys|discovery(?:\/v2\.0)?\/keys|oauth\/discovery\/keys|-\/jwks|oauth2\/v[1-3]\/certs|jwks(?:\.json|_uri)?|jwks\.uri)$/,
    name: 'its keys',
  },
  {
    end: /\/(?:(?:protocol\/openid-connect|oauth2?(?:\/v[\d.]+)?|v1)\/(?:token|authorize|auth|userinfo)|userinfo)$/,
    name: 'one of its endpoints',
  },
]

/** Returns why an issuer is the address of something that the issuer serves, and what to write; undefined if it is not. */
export function findDocumentUrlProblem(issuer: string): string | undefined {
  const [url = ''] = issuer.trim().split(/[?#]/, 1)
  const text = url.replace(/\/+$/, '')
  for (const { end, name } of ENDS) {
    const match = end.exec(text)
    if (!match) continue
    const rest = text.slice(match.index + match[0].length)
    const base = text.slice(0, match.index) + rest
    return `is the address of ${name}, not the \`iss\` of JWTs: write the \`issuer\` that its discovery document names, probably \`${base}\``
  }
  return undefined
}

/** Sites of services whose JWTs come from elsewhere, with their `iss`. */
const SITES: { readonly [host: string]: string } = {
  'github.com': 'https://token.actions.githubusercontent.com',
  'www.github.com': 'https://token.actions.githubusercontent.com',
  'api.github.com': 'https://token.actions.githubusercontent.com',
  'actions.githubusercontent.com': 'https://token.actions.githubusercontent.com',
  'www.gitlab.com': 'https://gitlab.com',
  'circleci.com': 'https://oidc.circleci.com/org/ORGANIZATION-ID',
  'app.circleci.com': 'https://oidc.circleci.com/org/ORGANIZATION-ID',
  'buildkite.com': 'https://agent.buildkite.com',
  'bitbucket.org': 'https://api.bitbucket.org/2.0/workspaces/WORKSPACE/pipelines-config/identity/oidc',
  'dev.azure.com': 'https://vstoken.dev.azure.com/ORGANIZATION-ID',
  'google.com': 'https://accounts.google.com',
  'www.google.com': 'https://accounts.google.com',
  'vercel.com': 'https://oidc.vercel.com/TEAM',
  'fly.io': 'https://oidc.fly.io/ORGANIZATION',
  'terraform.io': 'https://app.terraform.io',
}

/** Returns what the JWTs of a service have as `iss`, if an issuer is the address of its site; undefined for all others. */
export function findSiteProblem(issuer: string): string | undefined {
  const host = URL.canParse(issuer) ? new URL(issuer).hostname : ''
  const iss = Object.hasOwn(SITES, host) ? SITES[host] : undefined
  return iss && `is the site of a service, and in none of its JWTs: they have \`${iss}\``
}
