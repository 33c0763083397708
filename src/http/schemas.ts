import * as Type from 'typebox'

/** The bodies of the API: their types, their validation and their part of /openapi.json. */
const Time = Type.String({ format: 'date-time' })

export const TokenRequest = Type.Object(
  {
    database: Type.String({ minLength: 1, maxLength: 64, description: 'The name that jeton knows it by.' }),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'May be left out where only one is granted.',
      }),
    ),
    caPem: Type.Optional(Type.Boolean({ description: 'Adds the CA bundle itself as `ca.pem`.' })),
    refused: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description:
          'The fingerprint of a token that the database refused: another is signed, if it is still the current one.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type TokenRequest = Type.Static<typeof TokenRequest>

const Ca = Type.Object({
  bundle: Type.String({ description: 'Where this server has the PEM.' }),
  source: Type.String({ description: 'Where AWS publishes it.' }),
  sha256: Type.String(),
  certificates: Type.Integer(),
  notAfter: Time,
  tlsMode: Type.Literal('verify-full'),
  pem: Type.Optional(Type.String()),
})

const Endpoint = {
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

export const TokenReply = Type.Object({
  token: Type.String({ description: 'The database password. Only over TLS.' }),
  ...Endpoint,
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
  ca: Ca,
})
export type TokenReply = Type.Static<typeof TokenReply>

export const DatabasesReply = Type.Object({
  databases: Type.Array(Type.Object({ ...Endpoint, users: Type.Array(Type.String()), ca: Ca })),
})
export type DatabasesReply = Type.Static<typeof DatabasesReply>

export const ProblemReply = Type.Object({
  type: Type.String(),
  code: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  requestId: Type.String(),
})

/** What a route may answer besides 200, for /openapi.json alone: problems are rendered in one place. */
export function problems(...statuses: number[]) {
  const content = { 'application/problem+json': { schema: ProblemReply } }
  return Object.fromEntries(
    statuses.map(status => [status, { description: 'A problem (RFC 9457).', content }]),
  )
}
