import * as Type from 'typebox'
import { PROBLEM_TYPE } from './problem.ts'

// the bodies of the API: their types, their validation and their part of /openapi.json
const Time = Type.String({ format: 'date-time' })

export const TokenRequestSchema = Type.Object(
  {
    database: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'The name of the database in the configuration.',
    }),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'May be left out if only one is granted.',
      }),
    ),
    caPem: Type.Optional(Type.Boolean({ description: 'Adds the CA bundle itself as `ca.pem`.' })),
    refused: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description:
          'The fingerprint of a token that the database refused: if it is still the current one, another is minted.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type TokenRequest = Type.Static<typeof TokenRequestSchema>

const CaSchema = Type.Object({
  bundle: Type.String({ description: 'The path on this server that serves the PEM.' }),
  source: Type.String({ description: 'The URL at which AWS publishes it.' }),
  sha256: Type.String(),
  certificates: Type.Integer(),
  notAfter: Time,
  tlsMode: Type.Literal('verify-full'),
  pem: Type.Optional(Type.String()),
})

const ENDPOINT_PROPERTIES = {
  database: Type.String(),
  engine: Type.Enum(['postgres', 'mysql', 'mariadb']),
  host: Type.String({
    description: "RDS's own endpoint name: what the token is signed for and the certificate names.",
  }),
  port: Type.Integer(),
  region: Type.String(),
  dbname: Type.Optional(Type.String()),
  connect: Type.Optional(Type.String({ description: 'host:port to dial, if not the endpoint.' })),
}

export const TokenReplySchema = Type.Object({
  token: Type.String({ description: 'The database password. Send it only over TLS.' }),
  ...ENDPOINT_PROPERTIES,
  user: Type.String(),
  issuedAt: Time,
  refreshAfter: Time,
  expiresAt: Time,
  expiresIn: Type.Integer({ description: 'Seconds.' }),
  cached: Type.Boolean({ description: 'False only for the request that minted the token.' }),
  fingerprint: Type.String({ description: 'SHA-256 of the token: what records carry in its place.' }),
  identity: Type.String({ description: 'The ARN of the role session.' }),
  grant: Type.String(),
  auditId: Type.String(),
  ca: CaSchema,
})

export const DatabasesReplySchema = Type.Object({
  databases: Type.Array(
    Type.Object({ ...ENDPOINT_PROPERTIES, users: Type.Array(Type.String()), ca: CaSchema }),
  ),
})

const ProblemSchema = Type.Object({
  type: Type.String({ pattern: '^urn:jeton:problem:\\w+$', description: 'urn:jeton:problem: and the code.' }),
  code: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  requestId: Type.String(),
})

/** Returns the part of a route's `response` schema for problems. Only /openapi.json uses it: `sendProblem` renders them. */
export function problemResponses(...statuses: number[]) {
  const content = { [PROBLEM_TYPE]: { schema: ProblemSchema } }
  return Object.fromEntries(
    statuses.map(status => [status, { description: 'A problem (RFC 9457).', content }]),
  )
}
