import { BOT_TENANTS, issuersOfTenant, PERSONAL_TENANT } from './entra.ts'
import { EMAIL_RULES, type SharedOidcProvider, WHOLE } from './shared-oidc-provider.ts'

/** Shared providers where people log in, and some of their programs. */
export const LOG_IN_SERVICES: readonly SharedOidcProvider[] = [
  {
    // https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
    name: 'Google',
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
    ownerIds: { sub: WHOLE, 'google.compute_engine.project_number': WHOLE },
    ownerNames: { 'google.compute_engine.project_id': WHOLE, email: WHOLE, hd: WHOLE },
    ...EMAIL_RULES,
    misleadingClaims: { aud: 'whoever asks for the JWT chooses it' },
    example: 'sub: "112233445566778899000"',
  },
  {
    // https://docs.sigstore.dev/certificate_authority/oidc-in-fulcio/
    name: 'Sigstore',
    issuers: ['https://oauth2.sigstore.dev/auth'],
    ownerIds: { sub: WHOLE },
    ownerNames: { email: WHOLE },
    requirements: {
      email: [...EMAIL_RULES.requirements.email, { claim: 'federated_claims.connector_id' }],
    },
    doubtfulClaims: { email: EMAIL_RULES.doubtfulClaims.email },
    example: 'sub: ChUx…',
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    name: 'Microsoft (personal accounts)',
    issuers: issuersOfTenant(PERSONAL_TENANT),
    ownerIds: { oid: WHOLE, sub: WHOLE },
    misleadingClaims: {
      tid: 'all personal accounts are in one tenant',
      email: 'its owner may change it',
      preferred_username: 'it changes and is not unique',
    },
    example: 'oid: 00000000-0000-0000-0000-000000000000',
  },
  {
    // whoever registers a bot gets JWTs of these tenants, for an audience of their choice
    name: 'Microsoft Bot Framework',
    issuers: BOT_TENANTS.flatMap(issuersOfTenant),
    ownerIds: { appid: WHOLE, azp: WHOLE },
    misleadingClaims: {
      tid: 'the bots of everybody are in one tenant',
      aud: 'whoever asks for the JWT chooses it',
    },
    example: 'appid: 00000000-0000-0000-0000-000000000000',
  },
  {
    // https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html: guests get JWTs as well
    name: 'Cognito identity pools',
    issuers: [
      'https://cognito-identity.amazonaws.com',
      'https://cognito-identity.cn-north-1.amazonaws.com.cn',
      'https://cognito-identity-us-gov.amazonaws.com',
      'https://cognito-identity.us-gov-east-1.amazonaws.com',
    ],
    ownerIds: { sub: WHOLE, aud: WHOLE },
    requirements: { aud: [{ claim: 'amr', value: 'authenticated' }] },
    example: 'sub: "us-east-1:00000000-0000-0000-0000-000000000000"',
  },
  {
    name: 'log-in services for people',
    issuers: [
      'https://access.line.me',
      'https://api.login.yahoo.com',
      'https://appleid.apple.com',
      'https://auth.eclipse.org/auth/realms/foundation-service-accounts',
      'https://graph.facebook.com',
      'https://id.twitch.tv/oauth2',
      'https://issuer.hello.coop',
      'https://kauth.kakao.com',
      'https://login.salesforce.com',
      'https://oauth.id.jumpcloud.com/',
      'https://orcid.org',
      'https://sigstore.verify.ibm.com/oauth2',
      'https://slack.com',
      'https://www.amazon.com',
      'https://www.facebook.com',
      'https://www.kaggle.com/api/v1/models/signing',
      'https://www.linkedin.com/oauth',
    ],
    ownerIds: { sub: WHOLE },
    misleadingClaims: {
      email: 'an address can be given to somebody else, and may not be verified',
      app_id: 'everybody can log in to an app',
    },
    example: 'sub: "…"',
  },
]
