import { readFile } from 'node:fs/promises'
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { parse, type Tags } from 'yaml'

export interface Template {
  readonly Parameters: Record<string, { Default?: string }>
  readonly Resources: Record<
    string,
    {
      Type: string
      DeletionPolicy?: string
      UpdateReplacePolicy?: string
      Properties: Record<string, unknown>
    }
  >
  readonly Outputs: Record<string, { Value: unknown }>
}

/** Returns infra/tables.yml, with CloudFormation's short functions expanded to `{ Ref: … }` and `{ 'Fn::…': … }`. */
export async function readTemplate(): Promise<Template> {
  const path = new URL('../../../infra/tables.yml', import.meta.url)
  return parse(await readFile(path, 'utf8'), { customTags: FUNCTIONS })
}

/** Returns the template's tables as input for CreateTable, named by the parameters' defaults, without what dynalite lacks. */
export async function tablesOfTemplate(): Promise<CreateTableCommandInput[]> {
  const { Parameters, Resources } = await readTemplate()
  return Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::DynamoDB::Table')
    .map(({ Properties }) => {
      const { TableName, BillingMode, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } =
        Properties as unknown as CreateTableCommandInput & { TableName: { Ref: string } }
      return {
        TableName: Parameters[TableName.Ref]?.Default,
        BillingMode,
        AttributeDefinitions,
        KeySchema,
        ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }),
      }
    })
}

const FUNCTIONS: Tags = [
  ...['Ref', 'Fn::GetAtt'].map(name => ({
    tag: shortOf(name),
    resolve: (text: string) => ({ [name]: text }),
  })),
  ...['Fn::If', 'Fn::Not', 'Fn::Equals', 'Fn::Join'].map(name => ({
    tag: shortOf(name),
    collection: 'seq' as const,
    resolve: (list: { toJSON(): unknown }) => ({ [name]: list.toJSON() }),
  })),
]

function shortOf(name: string): string {
  return `!${name.replace('Fn::', '')}`
}
