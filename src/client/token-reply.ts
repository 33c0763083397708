import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'

/** No control characters: the values become lines of a shell script and of an option file. */
const Line = Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]+$' })

/** The members of a reply of `POST /v1/tokens` that the client uses. All others pass unchecked. */
const Reply = Type.Object({
  token: Type.String({ pattern: '^[\\u0021-\\u007e]+$' }),
  database: Line,
  engine: Line,
  host: Type.String({ pattern: '^[A-Za-z0-9.-]+$' }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  user: Line,
  dbname: Type.Optional(Line),
  connect: Type.Optional(Line),
  ca: Type.Optional(
    Type.Object({ pem: Type.Optional(Type.String({ pattern: '-----BEGIN CERTIFICATE-----' })) }),
  ),
})

/** A reply whose used members have been checked. `token` is a secret. */
export type TokenReply = Static<typeof Reply>

/** Whether a body has the members of a token reply that the client uses, fit to be passed on to shells and clients. */
export function isTokenReply(body: unknown): body is TokenReply {
  return Check(Reply, body)
}
