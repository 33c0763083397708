import { Ajv } from 'ajv'
import { TokenRequest } from './schemas.ts'

// build.mjs compiles these for Lambda and puts the code in the place of this file: to do it there costs each cold start
export const schema = TokenRequest
// nothing is coerced, dropped or filled in, as Fastify's own would
export const options = { allErrors: true }

/** Whether a value is the body of a request for a token; `errors` says why not. */
export const validate = new Ajv(options).compile<TokenRequest>(schema)
