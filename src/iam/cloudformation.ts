import { stringify } from 'yaml'
import type { PolicyText, RoleDocuments } from './role-policies.ts'

export interface RoleTemplate {
  readonly description: string
  readonly documents: RoleDocuments
  /** The ARN that the role must have, for it is configured; without it CloudFormation names the role. */
  readonly roleArn?: string
  /** Whether whom to trust is asked for when it is deployed. */
  readonly asksWhomToTrust?: boolean
}

const PARAMETER = 'JetonRoleArn'

/** Stands for the role to trust where a template asks for it. */
export const TRUSTED_PARAMETER: PolicyText = { Ref: PARAMETER }

const PARAMETERS = {
  [PARAMETER]: {
    Type: 'String',
    Description: "The ARN of jeton's own role, or of the IAM user that it runs as",
    AllowedPattern: String.raw`arn:aws[a-z-]*:iam::\d{12}:(role|user)/[^*?$]+`,
  },
}

/**
 * A CloudFormation template, in YAML, that makes one role. A role of a given name needs CAPABILITY_NAMED_IAM at deployment,
 * and the account must be the one of its ARN, which CloudFormation does not check.
 */
export function roleTemplate(template: RoleTemplate): string {
  const { description, documents, roleArn, asksWhomToTrust = false } = template
  const whole = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: description,
    ...(asksWhomToTrust && { Parameters: PARAMETERS }),
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          ...(roleArn !== undefined && nameIn(roleArn)),
          AssumeRolePolicyDocument: documents.trust,
          Policies: [{ PolicyName: 'jeton', PolicyDocument: documents.permissions }],
        },
      },
    },
    Outputs: { RoleArn: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
  }
  // All quoted: YAML 1.1, which CloudFormation reads, takes `no` and a date for something else than text.
  return stringify(whole, {
    defaultStringType: 'QUOTE_SINGLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
    aliasDuplicateObjects: false,
  })
}

function nameIn(roleArn: string): { RoleName: string; Path?: string } {
  const path = roleArn.slice(roleArn.indexOf(':role/') + ':role'.length)
  const cut = path.lastIndexOf('/') + 1
  return { ...(cut > 1 && { Path: path.slice(0, cut) }), RoleName: path.slice(cut) }
}
