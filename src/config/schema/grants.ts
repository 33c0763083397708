import Type, { type TSchema } from 'typebox'
import { closed, name, text, textOrTexts } from './common.ts'

const scalar = [Type.String(), Type.Number(), Type.Boolean()] as const
const anyOfScalars = Type.Array(Type.Union([...scalar]), { minItems: 1 })

/** A claim is named by any text, the empty one and line breaks included: `^` matches them all. */
const named = <T extends TSchema>(value: T, description = '') =>
  Type.Record(Type.String({ pattern: '^' }), value, { minProperties: 1, ...(description && { description }) })

/** Claims nest as in the JWT. Four levels are more than any issuer's; a schema without recursion serves every editor. */
const fourth = Type.Union([...scalar, anyOfScalars])
const third = Type.Union([...scalar, anyOfScalars, named(fourth)])
const second = Type.Union([...scalar, anyOfScalars, named(third)])
const Claims = named(
  Type.Union([...scalar, anyOfScalars, named(second)]),
  'All must hold, nested as in the JWT; any of a list; * is a run without /, ** any run',
)

const Principal = Type.Object(
  {
    issuer: text('A name from issuers, or apiKey'),
    subject: Type.Optional(textOrTexts("The JWT's sub, or the name of the API key; any of a list, * and **")),
    claims: Type.Optional(Claims),
    anyone: Type.Optional(Type.Boolean({ description: 'Says that everybody the issuer knows is meant' })),
  },
  { ...closed, description: 'Who: a subject or at least one claim' },
)

const Grant = Type.Object(
  {
    name: name('What records call it'),
    principal: Principal,
    database: text('A name from databases'),
    users: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: "Of the database's users, those that tokens may be had for",
    }),
    session: Type.Optional(
      Type.Enum(['shared', 'per-principal'], {
        description:
          'shared (default): one role session for each database user, for the whole fleet; per-principal: one for each principal',
      }),
    ),
  },
  closed,
)

export const Grants = Type.Array(Grant, {
  description: 'Who may get tokens for what; where several allow it, the first wins',
})
