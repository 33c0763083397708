import { Ajv } from 'ajv'
import { type ConfigFile, ConfigSchema } from './schema.ts'

// for Lambda, build/lambda.mjs replaces this file with compiled code: compiling there would slow down each cold start
export const schema = ConfigSchema
export const options = { allErrors: true, verbose: true }

/** Whether the schema allows a value; `validate.errors` says why not. */
export const validate = new Ajv(options).compile<ConfigFile>(schema)
