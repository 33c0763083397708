import { type SharedOidcProvider, WHOLE } from './shared-oidc-provider.ts'

const STARTED_RUN = 'it names who started the run, which may be in a repository of somebody else'
const CHOSEN_AUDIENCE = 'whoever asks for the JWT chooses it'

/** Shared providers that hold code and run jobs on it. */
export const CODE_HOSTS: readonly SharedOidcProvider[] = [
  {
    // https://docs.github.com/actions/reference/security/oidc
    name: 'GitHub Actions',
    issuers: ['https://token.actions.githubusercontent.com'],
    ownerIds: {
      repository_id: WHOLE,
      repository_owner_id: WHOLE,
      enterprise_id: WHOLE,
      sub: ['repository_owner_id:OWNER:', 'repository_id:OWNER:'],
    },
    ownerNames: {
      repository: ['OWNER/'],
      repository_owner: WHOLE,
      enterprise: WHOLE,
      sub: ['repo:OWNER/', 'repository:OWNER/', 'repository_owner:OWNER:'],
    },
    misleadingClaims: {
      job_workflow_ref: 'it names the called workflow, and anyone may call a public one',
      actor: STARTED_RUN,
      actor_id: STARTED_RUN,
      environment: 'anyone may give an environment this name',
      aud: CHOSEN_AUDIENCE,
    },
    example: 'repository_id: 123456',
  },
  {
    name: 'GitHub Actions (vstoken)',
    issuers: ['https://vstoken.actions.githubusercontent.com'],
    ownerIds: {},
    ownerNames: { sub: ['repo:OWNER/'] },
    example: 'sub: "repo:my-organization/my-repository:**"',
  },
  {
    // https://docs.github.com/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise, streaming to S3
    name: "GitHub's audit log streaming",
    issuers: ['https://oidc-configuration.audit-log.githubusercontent.com'],
    ownerIds: {},
    ownerNames: { sub: WHOLE },
    example: 'sub: "https://github.com/my-enterprise"',
  },
  {
    // https://docs.gitlab.com/ci/secrets/id_token_authentication
    name: 'GitLab.com',
    issuers: ['https://gitlab.com'],
    ownerIds: { project_id: WHOLE, namespace_id: WHOLE },
    ownerNames: {
      project_path: ['OWNER/'],
      namespace_path: ['OWNER/'],
      sub: ['project_path:OWNER/'],
    },
    misleadingClaims: {
      ci_config_ref_uri: 'it names the file that defines the pipeline, and anyone may include a public one',
      user_login: 'it names who started the pipeline, which may be in a project of somebody else',
      user_id: 'it names who started the pipeline, which may be in a project of somebody else',
      ref_protected: 'everybody can protect branches of a project of theirs',
      aud: CHOSEN_AUDIENCE,
    },
    example: 'project_id: 123456',
  },
  {
    // https://forgejo.org/docs/latest/user/actions/security-openid-connect/
    name: 'Codeberg',
    issuers: ['https://codeberg.org/api/actions', 'https://codeberg.org'],
    ownerIds: {},
    ownerNames: { repository: ['OWNER/'], repository_owner: WHOLE, sub: ['repo:OWNER/'] },
    misleadingClaims: { actor: STARTED_RUN, aud: CHOSEN_AUDIENCE },
    example: 'repository: my-organization/my-repository',
  },
  {
    // https://huggingface.co/docs/hub/oauth
    name: 'Hugging Face',
    issuers: ['https://huggingface.co'],
    ownerIds: { sub: WHOLE },
    misleadingClaims: { preferred_username: 'it is a name that changes' },
    example: 'sub: 64f0…',
  },
]
