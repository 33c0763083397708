import Type from 'typebox'
import { closed, text, textOrTexts } from './common.ts'

const Encryption = Type.Object(
  {
    kmsKeyId: Type.Optional(
      text('The KMS key that makes the data keys: its id, its ARN, alias/NAME or the ARN of an alias'),
    ),
    keyFile: Type.Optional(
      textOrTexts('File of a key, 32 bytes in base64; or a list, to rotate: the first seals, all open'),
    ),
  },
  { ...closed, description: 'What records are sealed with: kmsKeyId or keyFile' },
)

export const Store = Type.Object(
  {
    type: Type.Enum(['memory', 'dynamodb'], {
      description: 'memory: each instance for itself; dynamodb: shared by every instance',
    }),
    table: Type.Optional(text('The DynamoDB table, by its name')),
    region: Type.Optional(text("Where the table and the KMS key are; default: the environment's AWS_REGION")),
    encryption: Type.Optional(Encryption),
  },
  { ...closed, description: 'Where tokens and turns are kept' },
)
