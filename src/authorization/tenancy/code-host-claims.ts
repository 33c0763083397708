import { claimNames, type KnownClaims, OIDC_CLAIMS } from './known-claims.ts'
import { BRANCH, GIT_REF, NUMBER, REF_TYPE, runnerForm, TRUTH } from './value-forms.ts'

/** The JWTs of services that hold code and run jobs on it. */
export const CODE_HOST_CLAIMS: readonly KnownClaims[] = [
  {
    // https://docs.github.com/actions/reference/security/oidc
    name: 'GitHub Actions',
    issuer:
      /^https:\/\/(?:token\.actions\.(?:githubusercontent|[a-z0-9-]+\.ghe)\.com(?:\/[^/]+)?|[^/]+\/_services\/token)$/,
    claims: claimNames(`
        actor actor_id base_ref check_run_id enterprise enterprise_id environment
        environment_node_id event_name head_ref issuer_scope job_workflow_ref job_workflow_sha ref
        ref_protected ref_type repository repository_id repository_owner repository_owner_id
        repository_visibility run_attempt run_id run_number runner_environment sha workflow
        workflow_ref workflow_sha
      `),
    prefixes: ['repo_property_'],
    values: {
      ref: { ...GIT_REF, begins: ['refs/heads/', 'refs/tags/', 'refs/pull/'] },
      base_ref: BRANCH,
      head_ref: BRANCH,
      ref_type: REF_TYPE,
      ref_protected: TRUTH,
      repository: {
        whole: /^[\w.-]+\/[\w.-]+$/,
        beginsNot: ['https:', 'github.com/'],
        example: 'my-organization/my-repository',
      },
      repository_id: NUMBER,
      repository_owner_id: NUMBER,
      repository_owner: { whole: /^[\w-]+$/, example: 'my-organization' },
      repository_visibility: { whole: /^(?:public|private|internal)$/, example: 'private' },
      runner_environment: runnerForm('github'),
      job_workflow_ref: {
        whole: /^[\w.-]+\/[\w.-]+\/.+@.+$/,
        example: 'my-organization/my-repository/.github/workflows/deploy.yml@refs/heads/main',
      },
      workflow_ref: {
        whole: /^[\w.-]+\/[\w.-]+\/.+@.+$/,
        example: 'my-organization/my-repository/.github/workflows/deploy.yml@refs/heads/main',
      },
      // customers can build `sub` of other claims, each with its name before it
      sub: {
        whole: /^(?!repo:[^:]*$)(?!.*:ref:(?!refs\/))[a-z_]+:/,
        beginsNot: ['https:'],
        example: 'repo:my-organization/my-repository:ref:refs/heads/main',
      },
    },
  },
  {
    // https://docs.gitlab.com/ci/secrets/id_token_authentication; GitLab.com is also where people log in
    name: 'GitLab.com',
    issuer: /^https:\/\/gitlab\.com$/,
    claims: [
      ...claimNames(`
        namespace_id namespace_path project_id project_path project_visibility user_id user_login
        user_email user_identities user_access_level pipeline_id pipeline_source job_id job_source
        ref ref_type ref_path ref_protected environment environment_protected environment_action
        deployment_tier runner_id runner_environment sha ci_config_ref_uri ci_config_sha
        groups_direct groups sub_legacy
      `),
      ...OIDC_CLAIMS,
    ],
    prefixes: ['https://gitlab.org/claims/', 'job_'],
    values: {
      ref: BRANCH,
      ref_path: { ...GIT_REF, begins: ['refs/heads/', 'refs/tags/', 'refs/merge-requests/'] },
      ref_type: REF_TYPE,
      ref_protected: TRUTH,
      environment_protected: TRUTH,
      project_id: NUMBER,
      namespace_id: NUMBER,
      project_path: {
        whole: /^[\w.-]+(?:\/[\w.-]+)+$/,
        beginsNot: ['https:'],
        example: 'my-group/my-project',
      },
      runner_environment: runnerForm('gitlab'),
    },
  },
]
