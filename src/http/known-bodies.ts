import type { FastifySchemaValidationError } from 'fastify'
import { LRUCache } from 'lru-cache'
import { freezeDeep } from '../lib/freeze-deep.ts'
import { isContainer } from '../lib/json.ts'
import { schemaError } from './schema-error.ts'

/** A longer text is parsed each time. With this and the number of bodies, at most a megabyte is remembered. */
const MAX_TEXT_LENGTH = 256
const MAX_BODIES = 1000

/** Returns whether a body fits its schema; if not, `errors` says why. */
interface Validate {
  (body: unknown): body is object
  errors?: readonly FastifySchemaValidationError[] | null
}

/** Bodies by their texts, of requests whose credential has verified: nearly all repeat what was asked before. */
export interface KnownBodies {
  /** Returns the body of a text that has passed its schema before: frozen, and always the same object. */
  find(text: string): object | undefined
  /** Notes what a text was parsed to. It is known once it has passed its schema. */
  note(text: string, body: unknown): void
  /** Returns Fastify's validator for a schema: it returns true, or the error of the request, and validates known bodies once. */
  validateOnce(validate: Validate): (body: unknown) => true | { error: Error }
}

/** Returns no bodies. The 1000 texts of up to 256 characters that were used last are remembered. */
export function createKnownBodies(): KnownBodies {
  const byText = new LRUCache<string, object>({ max: MAX_BODIES })
  const textOf = new WeakMap<object, string>()

  return {
    find: text => byText.get(text),
    note(text, body) {
      if (text.length <= MAX_TEXT_LENGTH && isContainer(body)) textOf.set(body, text)
    },
    validateOnce(validate) {
      const valid = new WeakSet<object>()
      return body => {
        if (isContainer(body) && valid.has(body)) return true
        if (!validate(body)) return { error: schemaError(validate.errors ?? []) }
        valid.add(body)
        const text = textOf.get(body)
        if (text !== undefined) byText.set(text, freezeDeep(body))
        return true
      }
    },
  }
}
