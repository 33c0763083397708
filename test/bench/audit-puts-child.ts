import { startDynamodb } from '../support/aws/dynamodb.ts'

// DynamoDB in a process of its own, so that its work does not count as jeton's: prints the environment that leads to it.
const dynamodb = await startDynamodb()
process.stdout.write(`${JSON.stringify(dynamodb.environment())}\n`)
