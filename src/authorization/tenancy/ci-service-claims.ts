import { claimNames, type KnownClaims } from './known-claims.ts'
import { BRANCH, GIT_REF, TRUTH, UUID } from './value-forms.ts'

/** The JWTs of services that run builds, tests and deployments of code that lies elsewhere. */
export const CI_SERVICE_CLAIMS: readonly KnownClaims[] = [
  {
    // https://circleci.com/docs/openid-connect-tokens/
    name: 'CircleCI',
    issuer: /^https:\/\/oidc\.circleci\.com(?:\/org\/[^/]+)?$/,
    claims: claimNames(`
        org-id project-id context-ids job-id pipeline-id pipeline-definition-id workflow-id
        vcs-origin vcs-ref ssh-rerun
      `).map(name => `oidc.circleci.com/${name}`),
    values: {
      'oidc.circleci.com/org-id': UUID,
      'oidc.circleci.com/project-id': UUID,
      'oidc.circleci.com/vcs-ref': GIT_REF,
      'oidc.circleci.com/ssh-rerun': TRUTH,
      sub: { begins: ['org/'], example: 'org/ORG-ID/project/PROJECT-ID/user/USER-ID' },
    },
  },
  {
    // https://buildkite.com/docs/agent/v3/cli-oidc
    name: 'Buildkite',
    issuer: /^https:\/\/agent\.buildkite\.com$/,
    claims: claimNames(`
        organization_slug organization_id pipeline_slug pipeline_id build_number build_id
        build_branch build_tag build_commit build_source step_key job_id agent_id cluster_id
        cluster_name queue_id queue_key runner_environment https://aws.amazon.com/tags
      `),
    prefixes: ['agent_tag:'],
    values: {
      organization_id: UUID,
      pipeline_id: UUID,
      cluster_id: UUID,
      queue_id: UUID,
      build_branch: BRANCH,
    },
  },
  {
    // https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
    name: 'HCP Terraform',
    issuer: /^https:\/\/app\.(?:eu\.)?terraform\.io$/,
    claims: claimNames(`
        organization_id organization_name project_id project_name workspace_id workspace_name
        full_workspace run_id run_phase stack_id stack_name stack_deployment_name operation plan_id
      `).map(name => `terraform_${name}`),
    prefixes: ['terraform_stack_'],
    values: {
      terraform_run_phase: { whole: /^(?:plan|apply)$/, example: 'apply' },
      terraform_organization_id: { begins: ['org-'], example: 'org-GRNbCjYNpBB6NEBH' },
      terraform_project_id: { begins: ['prj-'], example: 'prj-vegSA59s1XPwMr2t' },
      terraform_workspace_id: { begins: ['ws-'], example: 'ws-mbsd5E3Ktt5Rg2Xm' },
      sub: {
        begins: ['organization:'],
        example: 'organization:NAME:project:NAME:workspace:NAME:run_phase:apply',
      },
    },
  },
  {
    // https://docs.semaphore.io/using-semaphore/openid
    name: 'Semaphore',
    issuer: /^https:\/\/[a-z0-9-]+\.semaphoreci\.com$/,
    claims: claimNames(`
        org org_id prj prj_id repo repo_slug wf_id ppl_id job_id branch pr_branch pr ref ref_type
        tag job_type trg sub127
      `),
    values: { ref: GIT_REF },
  },
  {
    // https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity
    name: 'Azure DevOps',
    issuer: /^https:\/\/vstoken\.dev\.azure\.com\//,
    claims: ['org_id', 'prj_id', 'def_id', 'rpo_id', 'rpo_uri', 'rpo_ver', 'rpo_ref', 'run_id'],
    isOpen: true,
    values: { rpo_ref: GIT_REF, org_id: UUID, prj_id: UUID },
    audience: 'api://AzureADTokenExchange',
  },
  {
    // https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/
    name: 'Bitbucket Pipelines',
    issuer: /^https:\/\/api\.bitbucket\.org\/2\.0\/workspaces\//,
    claims: claimNames(`
        workspaceUuid repositoryUuid pipelineUuid pipelineRunUuid stepUuid branchName
        deploymentEnvironmentUuid
      `),
    isOpen: true,
    values: {
      workspaceUuid: { whole: /^\{[0-9a-f-]{36}\}$/, example: '"{0a1b2c3d-1111-2222-3333-444455556666}"' },
      repositoryUuid: { whole: /^\{[0-9a-f-]{36}\}$/, example: '"{0a1b2c3d-1111-2222-3333-444455556666}"' },
    },
  },
]
