import { type SharedOidcProvider, WHOLE } from './shared-oidc-provider.ts'

/** Shared providers whose machines are used by developers and by the agents that code for them. */
export const AGENT_SERVICES: readonly SharedOidcProvider[] = [
  {
    // https://cursor.com/docs/cloud-agent/identity
    name: 'Cursor',
    issuers: ['https://api.cursor.com', 'https://api2.cursor.sh/cloud-agent/identity'],
    ownerIds: {
      team_id: WHOLE,
      sub: ['team_id:OWNER', 'cloud_agent_id:OWNER', 'agent_sdk_deployment_id:OWNER'],
    },
    misleadingClaims: { agent_runtime: 'it is the same for all customers' },
    example: 'team_id: 123456',
  },
  {
    // https://docs.devin.ai/product-guides/oidc
    name: 'Devin',
    issuers: ['https://app.devin.ai'],
    ownerIds: { org_id: WHOLE, devin_id: WHOLE },
    misleadingClaims: { requesting_user_email: 'an address can be given to somebody else' },
    example: 'org_id: org-…',
  },
  {
    // https://docs.warp.dev/agent-platform/cloud-agents/integrations/cloud-providers/
    name: 'Warp',
    issuers: ['https://app.warp.dev'],
    ownerIds: {
      teams: WHOLE,
      sub: ['scoped_principal:OWNER/', 'user:OWNER', 'service_account:OWNER'],
    },
    misleadingClaims: {
      email: 'an address can be given to somebody else',
      skill_spec: 'it names the code that an agent follows, which may be public code of somebody else',
    },
    example: 'teams: my-team-id',
  },
  {
    // https://www.gitpod.io/docs/configure/workspaces/oidc
    name: 'Gitpod',
    issuers: ['https://api.gitpod.io/idp', 'https://app.gitpod.io/idp'],
    ownerIds: {},
    misleadingClaims: {
      sub: 'it names the code of a workspace, and anyone may open a workspace on public code',
    },
    example: '',
  },
]
