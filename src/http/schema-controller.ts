import type { FastifyServerOptions } from 'fastify'

/**
 * In the place of Fastify's own compilers of schemas, which would be loaded and run at each start. A route with a schema for
 * what comes in brings its `validatorCompiler`. What goes out is rendered as it is: its schemas describe it, and tests
 * hold it to them; the one answer that is asked for often is text already.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: {
    buildValidator: () => () => {
      throw new Error('a route with a schema for what comes in must bring its validatorCompiler')
    },
    buildSerializer: () => () => JSON.stringify,
  },
}
