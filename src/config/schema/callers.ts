import Type from 'typebox'
import { byName, closed, text } from './common.ts'

const Issuer = Type.Object(
  {
    issuer: text('The iss of its JWTs, to the letter'),
    audience: text('The aud that its JWTs must carry'),
    jwksFile: Type.Optional(
      text('File of its public keys (a JWK set), for issuers that cannot be reached: nothing is fetched'),
    ),
  },
  closed,
)

export const Issuers = byName(Issuer, 'Whose JWTs are accepted')

const Sha256 = Type.String({
  pattern: '^[0-9a-fA-F]{64}$',
  description: 'the hex SHA-256 of a key, never the key itself; `jeton apikey NAME` prints it',
})

const ApiKey = Type.Object(
  {
    sha256: Type.Union([Sha256, Type.Array(Sha256, { minItems: 1, maxItems: 2 })], {
      description: 'The hex SHA-256 of the key, or a list of two, to rotate',
    }),
  },
  closed,
)

export const ApiKeys = byName(ApiKey, 'Keys for callers that can do no better')
