import { claimNames, type KnownClaims, OIDC_CLAIMS, type ValueForm } from './known-claims.ts'
import { TRUTH, UUID } from './value-forms.ts'

const ACCOUNT: ValueForm = { whole: /^\d{12}$/, example: '"123456789012"' }

/** The JWTs of platforms that run programs, and of services where people log in. */
export const PLATFORM_CLAIMS: readonly KnownClaims[] = [
  {
    // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims
    name: 'a Kubernetes cluster',
    issuer:
      /^https:\/\/(?:oidc[.-]eks\.|container\.googleapis\.com\/|[a-z0-9]+\.oic\.prod-aks\.azure\.com\/|oidc\.prod-aks\.azure\.com\/|kubernetes\.default)/,
    claims: [
      'kubernetes.io',
      'kubernetes.io > namespace',
      'kubernetes.io > warnafter',
      ...['serviceaccount', 'pod', 'node', 'secret'].flatMap(object => [
        `kubernetes.io > ${object}`,
        `kubernetes.io > ${object} > name`,
        `kubernetes.io > ${object} > uid`,
      ]),
    ],
    values: {
      sub: {
        begins: ['system:serviceaccount:', 'system:node:'],
        whole: /^system:(?:serviceaccount:[^:]+:[^:]+|node:.+)$/,
        example: 'system:serviceaccount:my-namespace:my-service-account',
      },
    },
  },
  {
    // https://cloud.google.com/compute/docs/instances/verifying-instance-identity#payload
    name: 'Google',
    issuer: /^(?:https:\/\/)?accounts\.google\.com$/,
    claims: [
      ...['google', 'google > compute_engine', 'hd', 'target_audience', ...OIDC_CLAIMS],
      ...[
        ...claimNames(`
        project_id project_number zone instance_id instance_name instance_creation_timestamp
        instance_confidentiality license_id
      `),
      ].map(name => `google > compute_engine > ${name}`),
    ],
    values: {
      sub: { whole: /^\d+$/, example: '"112233445566778899000"' },
      email_verified: TRUTH,
      'google > compute_engine > project_number': { whole: /^\d+$/, example: '739419398126' },
    },
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference; tenants can add claims
    name: 'Microsoft Entra ID',
    issuer:
      /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)\//,
    claims: [
      ...claimNames(`
        tid oid appid appidacr azpacr idp idtyp roles groups scp wids upn unique_name ver uti rh aio
        xms_mirid xms_az_rid xms_cc ipaddr hasgroups puid tenant_ctry tenant_region_scope
        app_displayname deviceid login_hint acct
      `),
      ...OIDC_CLAIMS,
    ],
    isOpen: true,
    values: {
      tid: UUID,
      oid: UUID,
      appid: UUID,
      azp: UUID,
      idtyp: { whole: /^(?:app|user|device)$/, example: 'app' },
    },
  },
  {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
    name: 'AWS outbound identity federation',
    issuer: /^https:\/\/[^/]+\.tokens\.sts\.global\.api\.aws$/,
    claims: [
      'https://sts.amazonaws.com/',
      ...[
        ...claimNames(`
        aws_account org_id ou_path source_region principal_id principal_tags request_tags
        ec2_source_instance_arn lambda_source_function_arn identity_store_user_id federated_provider
        ec2_instance_source_vpc ec2_instance_source_private_ipv4 ec2_role_delivery source_identity
        glue_credential_issuing_service session_tags original_session_exp
      `),
      ].map(name => `https://sts.amazonaws.com/ > ${name}`),
    ],
    isOpen: true,
    values: {
      'https://sts.amazonaws.com/ > aws_account': ACCOUNT,
      sub: { begins: ['arn:'], example: 'arn:aws:iam::123456789012:role/my-role' },
    },
  },
  {
    // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
    name: 'Cognito user pools',
    issuer: /^https:\/\/(?:issuer-)?cognito-idp\./,
    claims: [
      ...claimNames('token_use client_id scope username version event_id origin_jti identities'),
      ...['cognito:username', 'cognito:groups', 'cognito:roles', 'cognito:preferred_role', ...OIDC_CLAIMS],
    ],
    prefixes: ['custom:', 'dev:custom:'],
    isOpen: true,
    values: { token_use: { whole: /^(?:id|access)$/, example: 'access' }, sub: UUID },
  },
  {
    name: 'Okta',
    issuer: /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com/,
    claims: ['ver', 'cid', 'uid', 'scp', 'groups', ...OIDC_CLAIMS],
    isOpen: true,
  },
  {
    name: 'Auth0',
    issuer: /^https:\/\/[a-z0-9.-]+\.auth0\.com\//,
    claims: ['gty', 'scope', 'permissions', 'org_id', 'org_name', ...OIDC_CLAIMS],
    isOpen: true,
  },
  {
    // https://vercel.com/docs/oidc/reference
    name: 'Vercel',
    issuer: /^https:\/\/oidc\.vercel\.com(?:\/|$)/,
    claims: [
      'owner',
      'owner_id',
      'project',
      'project_id',
      'environment',
      'plan',
      'user_id',
      'scope',
      'external_sub',
    ],
    isOpen: true,
    values: {
      owner_id: { begins: ['team_'], example: 'team_…' },
      project_id: { begins: ['prj_'], example: 'prj_…' },
      sub: { begins: ['owner:'], example: 'owner:TEAM:project:NAME:environment:production' },
    },
  },
  {
    // https://fly.io/docs/security/openid-connect/
    name: 'Fly.io',
    issuer: /^https:\/\/oidc\.fly\.io\//,
    claims: claimNames(`
        app_id app_name org_id org_name machine_id machine_name machine_version image image_digest
        region
      `),
    isOpen: true,
  },
  {
    // https://modal.com/docs/guide/oidc-integration
    name: 'Modal',
    issuer: /^https:\/\/oidc\.modal\.com$/,
    claims: claimNames(`
        workspace_id workspace_name environment_id environment_name app_id app_name function_id
        function_name container_id
      `),
    isOpen: true,
    audience: 'oidc.modal.com',
    lifetimeSeconds: 172_800,
  },
]
