import { Ajv } from 'ajv'
import { type TokenRequest, TokenRequestSchema } from './schemas.ts'

// build/lambda.mjs compiles this for Lambda and replaces this file with the code, since compiling costs each cold start time
export const schema = TokenRequestSchema
// unlike Fastify's defaults, these neither coerce nor drop nor fill in anything
export const options = { allErrors: true }

/** Returns whether a value is the body of a request for a token; if not, `validate.errors` says why. */
export const validate = new Ajv(options).compile<TokenRequest>(schema)
