import * as Type from 'typebox'

// the bodies of the API: their types, their validation and their part of /openapi.json
const time = (description: string) => Type.String({ format: 'date-time', description })
/** Of text: without its type, client generators take a list of words for values of any type. */
const oneOf = <const Words extends string[]>(words: readonly [...Words], description: string) =>
  Type.Enum(words, { type: 'string', description })

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
    minimumSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 840,
        description:
          'How long the token must last at least: if the current one has less left, another is minted. Every token has 300 s left.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type TokenRequest = Type.Static<typeof TokenRequestSchema>

const CaSchema = Type.Object(
  {
    bundle: Type.String({ description: 'The path on this server that serves the PEM.' }),
    source: Type.String({ description: 'The URL at which AWS publishes it.' }),
    sha256: Type.String({ description: 'SHA-256 of the PEM as this server serves it, in hex.' }),
    certificates: Type.Integer({ description: 'How many certificates it has.' }),
    notAfter: time('When the first of them expires.'),
    tlsMode: Type.Literal('verify-full', {
      description: "How to check the database's certificate: its issuer and its name, which is `host`.",
    }),
    pem: Type.Optional(Type.String({ description: 'The PEM itself, if it was asked for with `caPem`.' })),
  },
  { description: "The certificates that verify the database's own." },
)

const ENDPOINT_PROPERTIES = {
  database: Type.String({ description: 'Its name in the configuration.' }),
  engine: oneOf(['postgres', 'mysql', 'mariadb'], 'The kind of database.'),
  host: Type.String({
    description: "RDS's own endpoint name: what the token is signed for and the certificate names.",
  }),
  port: Type.Integer({ description: 'The port of the endpoint, which the token is signed for too.' }),
  region: Type.String({ description: 'The AWS region of the database.' }),
  dbname: Type.Optional(
    Type.String({ description: 'The name of the database to connect to within the server, if configured.' }),
  ),
  connect: Type.Optional(
    Type.String({
      description: '`host:port` to dial, if not the endpoint itself. The certificate is still for `host`.',
    }),
  ),
}

export const TokenReplySchema = Type.Object({
  token: Type.String({ description: 'The database password. Send it only over TLS.' }),
  ...ENDPOINT_PROPERTIES,
  user: Type.String({ description: 'The database user to log in as.' }),
  issuedAt: time('When it was signed.'),
  refreshAfter: time('Ask for another from then on.'),
  expiresAt: time(
    'The end of the token: 15 minutes after signing, or the end of the role session if that is earlier.',
  ),
  expiresIn: Type.Integer({ description: 'Seconds until then.' }),
  cached: Type.Boolean({ description: 'False only for the request that minted the token.' }),
  fingerprint: Type.String({ description: 'SHA-256 of the token: what records carry in its place.' }),
  identity: Type.String({ description: 'The ARN of the role session.' }),
  grant: Type.String({ description: 'The name of the grant that allowed it.' }),
  auditId: Type.String({ description: 'The id of the record of this vend.' }),
  ca: CaSchema,
})

export const DatabasesReplySchema = Type.Object({
  databases: Type.Array(
    Type.Object({
      ...ENDPOINT_PROPERTIES,
      users: Type.Array(Type.String(), { description: 'The database users that it may have tokens for.' }),
      ca: CaSchema,
    }),
    { description: 'Those that a grant allows; perhaps none.' },
  ),
})

export const WhoamiReplySchema = Type.Object({
  principal: Type.Object(
    {
      issuer: Type.String({ description: 'The name of the issuer in the configuration, or `apiKey`.' }),
      subject: Type.String({ description: "The JWT's `sub`, or the name of the API key." }),
      claims: Type.Object(
        {},
        {
          additionalProperties: true,
          description: 'Its claims that grants of this issuer name, as records show them.',
        },
      ),
    },
    { description: 'Whom the credential stands for.' },
  ),
  databases: Type.Array(
    Type.Object({
      name: Type.String({ description: 'Its name in the configuration.' }),
      users: Type.Array(Type.String(), { description: 'The database users that it may have tokens for.' }),
    }),
    { description: 'Those that a grant allows; perhaps none.' },
  ),
})

export const AliveReplySchema = Type.Object({ status: Type.Literal('ok', { description: 'It is alive.' }) })

export const ReadyReplySchema = Type.Object({
  status: oneOf(['ready', 'degraded'], 'Whether everything that it needs answers.'),
  degraded: Type.Array(
    oneOf(
      ['sts', 'store', 'keys', 'log'],
      "AWS STS or jeton's credentials for it, the shared store, an issuer's keys, the audit log.",
    ),
    { description: 'What does not answer.' },
  ),
  dev: Type.Optional(Type.Literal(true, { description: 'Stand-ins are in use: `jeton serve --dev`.' })),
})
