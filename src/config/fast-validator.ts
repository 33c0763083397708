import { Ajv } from 'ajv'
import { type ConfigFile, ConfigSchema } from './schema.ts'

// build.mjs compiles these for Lambda and puts the code in the place of this file: to do it there costs each cold start
export const schema = ConfigSchema
export const options = { messages: false }

/** Whether a value is of the configuration's schema. Does not say why not: `validator.ts` does, and is much larger. */
export const validate = new Ajv(options).compile<ConfigFile>(schema)
