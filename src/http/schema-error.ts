import { JetonError } from '../errors.ts'

/** A body may violate its schema in thousands of places; a reply and a record have room for a few. */
const MAX_VIOLATIONS = 5
/** Keys of the body that may be quoted: any other may be a secret in the wrong place. */
const PLAIN_KEY = /^\w{1,32}$/

/** The members of Ajv's errors that are used here. https://ajv.js.org/api.html#error-objects */
interface SchemaViolation {
  instancePath?: string
  message?: string
  params?: object
}

/** Returns the error for a body that violates its schema. Fastify's own would capture a stack. */
export function schemaError(violations: readonly SchemaViolation[]): JetonError {
  return new JetonError('invalid_request', { publicMessage: describeViolations(violations) })
}

/** Names the place in the body and the rule, never the value. */
function describeViolations(violations: readonly SchemaViolation[]): string {
  return violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ instancePath = '', message = 'is not valid', params = {} }) => {
      const key = 'additionalProperty' in params ? params.additionalProperty : undefined
      const name = typeof key === 'string' && PLAIN_KEY.test(key) ? ` (${key})` : ''
      return `body${instancePath.replaceAll('/', '.')} ${message}${name}`
    })
    .join('; ')
}
