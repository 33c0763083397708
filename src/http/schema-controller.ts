import type { FastifyServerOptions } from 'fastify'
import { printableJson } from '../lib/printable.ts'

/**
 * Replaces Fastify's schema compilers, which would load and run at each start; build/lambda.mjs leaves them out of the Lambda
 * bundle. Replies are rendered as printable JSON, since what callers chose may be read on a terminal: schemas only describe them,
 * and tests compare the two. A route with a schema for its request must bring its own `validatorCompiler`.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: {
    buildValidator: () => () => {
      throw new Error('a route with a schema for its request must bring its own validatorCompiler')
    },
    buildSerializer: () => () => value => printableJson(value),
  },
}
