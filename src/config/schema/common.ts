import Type, { type TSchema } from 'typebox'
import { NAME_FORM, NAME_PATTERN } from '../names.ts'

/** Unknown keys are errors. */
export const closed = { additionalProperties: false } as const

/** Text that is not empty. */
export const text = (description: string) => Type.String({ minLength: 1, description })

/** One text or a list of several. */
export const textOrTexts = (description: string) =>
  Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
    description,
  })

export const port = (description: string) => Type.Integer({ minimum: 0, maximum: 65_535, description })

export const name = (description: string) =>
  Type.String({ pattern: NAME_PATTERN, description: `${description}: ${NAME_FORM}` })

/** A mapping of names to `value`. */
export const byName = <T extends TSchema>(value: T, description: string) =>
  Type.Record(Type.String({ pattern: NAME_PATTERN }), value, {
    ...closed,
    description: `${description}, by name: ${NAME_FORM}`,
  })
