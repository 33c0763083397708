import { stringify } from 'yaml'
import type { PolicyText, RoleDocuments } from './role-policies.ts'

export interface RoleTemplate {
  readonly description: string
  readonly documents: RoleDocuments
  /** The ARN that the role must have, because the configuration names it. Without it, CloudFormation chooses the name. */
  readonly roleArn?: string
  /** The parameters that the documents refer to. */
  readonly parameters?: readonly TemplateParameter[]
}

const PARAMETERS = {
  JetonRoleArn: {
    Type: 'String',
    Description: "The ARN of jeton's own role, or of the IAM user that it runs as",
    AllowedPattern: String.raw`arn:aws[a-z-]*:iam::\d{12}:(role|user)/[^*?$]+`,
  },
  TrustAnchorArn: {
    Type: 'String',
    Description:
      "The ARN of the trust anchor of IAM Roles Anywhere, whose authority issued jeton's certificate",
    AllowedPattern: String.raw`arn:aws[a-z-]*:rolesanywhere:[a-z0-9-]+:\d{12}:trust-anchor/[a-f0-9-]+`,
  },
}

export type TemplateParameter = keyof typeof PARAMETERS

/** Returns what takes its value from a parameter of the template. */
export function parameterValue(name: TemplateParameter): PolicyText {
  return { Ref: name }
}

/**
 * Returns a CloudFormation template, as YAML, with one role in it. If the role has a name, the deployment needs the
 * capability CAPABILITY_NAMED_IAM. The template must be deployed in the account of `roleArn`, which CloudFormation does not
 * check.
 */
export function roleTemplate(template: RoleTemplate): string {
  const { description, documents, roleArn, parameters = [] } = template
  const content = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: description,
    ...(parameters.length > 0 && {
      Parameters: Object.fromEntries(parameters.map(name => [name, PARAMETERS[name]])),
    }),
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          ...(roleArn !== undefined && nameAndPath(roleArn)),
          AssumeRolePolicyDocument: documents.trust,
          Policies: [{ PolicyName: 'jeton', PolicyDocument: documents.permissions }],
        },
      },
    },
    Outputs: { RoleArn: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
  }
  // quoted throughout, because CloudFormation reads YAML 1.1, in which a bare `no` is a boolean and 2012-10-17 a date
  return stringify(content, {
    defaultStringType: 'QUOTE_SINGLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
    aliasDuplicateObjects: false,
  })
}

function nameAndPath(roleArn: string): { RoleName: string; Path?: string } {
  const fullName = roleArn.slice(roleArn.indexOf(':role/') + ':role'.length)
  const nameStart = fullName.lastIndexOf('/') + 1
  return { ...(nameStart > 1 && { Path: fullName.slice(0, nameStart) }), RoleName: fullName.slice(nameStart) }
}
