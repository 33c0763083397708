import Type from 'typebox'
import { closed, text } from './common.ts'

const AuditLog = Type.Object(
  {
    type: Type.Enum(['stdout', 'file', 'dynamodb'], {
      description: 'stdout is not durable; a file and dynamodb are',
    }),
    path: Type.Optional(text('The file, with type: file')),
    table: Type.Optional(text('The DynamoDB table, with type: dynamodb; never that of the store')),
    region: Type.Optional(text("Where the table is; default: the environment's AWS_REGION")),
    retentionDays: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 36_500,
        description: 'With type: dynamodb, when records may be deleted; without it they are kept forever',
      }),
    ),
  },
  closed,
)

export const Audit = Type.Array(AuditLog, {
  minItems: 1,
  description: 'The logs that a record must be in before its token leaves; stdout unless said otherwise',
})
