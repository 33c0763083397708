import type { FastifyServerOptions } from 'fastify'

/**
 * Replaces Fastify's schema compilers, which would load and run at each start; build/lambda.mjs leaves them out of the Lambda
 * bundle. Replies are rendered with JSON.stringify: their schemas only describe them, and tests compare the two. A route with
 * a schema for its request must bring its own `validatorCompiler`.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: {
    buildValidator: () => () => {
      throw new Error('a route with a schema for its request must bring its own validatorCompiler')
    },
    buildSerializer: () => () => JSON.stringify,
  },
}
