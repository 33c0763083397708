import Type, { type Static, type TSchema } from 'typebox'
import { NAME_FORM, NAME_PATTERN } from './config.ts'

/** An object with these keys and no others. */
const object = <T extends Record<string, TSchema>>(keys: T, description?: string) =>
  Type.Object(keys, { additionalProperties: false, ...(description && { description }) })

/** Text that is not empty. */
const text = (description: string) => Type.String({ minLength: 1, description })

const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description })

const textOrTexts = (description: string) =>
  Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
    description,
  })

const port = (description: string) => Type.Integer({ minimum: 0, maximum: 65_535, description })

/** A mapping of names to `value`. */
const byName = <T extends TSchema>(value: T, description: string) =>
  Type.Record(Type.String({ pattern: NAME_PATTERN }), value, {
    additionalProperties: false,
    description: `${description}, by name: ${NAME_FORM}`,
  })

const tls = (description: string) =>
  object(
    {
      cert: text('PEM file of the certificate and its chain'),
      key: text('PEM file of the private key, unencrypted'),
    },
    description,
  )

const Server = object(
  {
    host: Type.Optional(
      text('Address to listen on; default 127.0.0.1. Any address but loopback needs tls or behindProxy'),
    ),
    port: Type.Optional(port('Default 8080; 0 picks a free port')),
    behindProxy: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10,
        description: 'Number of proxies in front; jeton trusts this many entries of X-Forwarded-For',
      }),
    ),
    connections: Type.Optional(
      object(
        {
          max: Type.Optional(
            Type.Integer({
              minimum: 10,
              maximum: 100_000,
              description: 'Connections of callers that may be open in all; default 4000',
            }),
          ),
          maxPerAddress: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 100_000,
              description:
                'Of these, from one address, or from one /48 of IPv6; default: a quarter of max. Not with behindProxy',
            }),
          ),
        },
        'Limits of connections; at a limit, a new connection takes the place of an idle one',
      ),
    ),
    tls: Type.Optional(tls('Serve HTTPS')),
    admin: Type.Optional(
      object(
        {
          host: Type.Optional(text('Address to listen on; default 127.0.0.1')),
          port: Type.Optional(port('Default 9464; 0 picks a free port')),
          console: Type.Optional(
            Type.Boolean({
              description:
                "Whether the operator's pages are at /console; beyond loopback with tls and operators",
            }),
          ),
          tls: Type.Optional(tls('Serve HTTPS there')),
        },
        'Listener for /metrics and the console, apart from callers; off unless configured',
      ),
    ),
  },
  'For `jeton serve` only',
)

const Issuers = byName(
  object({
    issuer: text('The exact `iss` of its JWTs'),
    audience: textOrTexts('The `aud` that its JWTs must carry, or a list of which one is enough'),
    jwksFile: Type.Optional(
      text('File with its public keys (a JWK set), for issuers that cannot be reached; nothing is fetched'),
    ),
    tenancy: Type.Optional(
      Type.Enum(['private', 'shared'], {
        description:
          'Who can get JWTs from it: private: your organization alone; shared: others too. Required if jeton does not know the issuer',
      }),
    ),
    owner: Type.Optional(
      texts(
        'With tenancy: shared, the claims that tell your JWTs from those of others, nested ones as a.b; each grant must spell out one',
      ),
    ),
    maxLifetimeSeconds: Type.Optional(
      Type.Integer({
        minimum: 60,
        description: 'Default 86400; a JWT whose `exp` is further from its `iat` is refused',
      }),
    ),
  }),
  'Issuers whose JWTs are accepted',
)

const Sha256 = Type.String({
  pattern: '^[0-9a-fA-F]{64}$',
  description: 'the hex SHA-256 of a key, never the key itself; `jeton apikey NAME` prints it',
})

const ApiKeys = byName(
  object({
    sha256: Type.Union([Sha256, Type.Array(Sha256, { minItems: 1, maxItems: 2 })], {
      description: 'The hex SHA-256 of the key, or a list of two during a rotation',
    }),
  }),
  'API keys for callers without a JWT',
)

const Limits = object(
  {
    newTokensPerSecond: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 20,
        description:
          'Default 16; RDS allows 20, and the rest is room for the time between delivery and login. Databases with one resourceId share it',
      }),
    ),
  },
  "Limits that keep new tokens under RDS's own throttle",
)

const Databases = Type.Record(
  Type.String({ pattern: '^[a-z0-9-]{1,32}$' }),
  object({
    engine: Type.Enum(['postgres', 'mysql', 'mariadb'], { description: 'The database engine' }),
    host: text("RDS's own endpoint name, which tokens are signed for"),
    port: Type.Optional(port("Default: the engine's port")),
    resourceId: text('db-… of an instance, cluster-… of an Aurora cluster, prx-… of a proxy'),
    roleArn: text('The role that jeton assumes and that is allowed to connect'),
    externalId: Type.Optional(text("For AssumeRole, if the role's trust policy requires it")),
    users: texts('The database users that jeton may sign tokens for; no *, ? or $'),
    dbname: Type.Optional(text('The database that callers connect to (PGDATABASE)')),
    connect: Type.Optional(
      text('The address that callers connect to, as host:port, if not the endpoint itself'),
    ),
    limits: Type.Optional(Limits),
  }),
  {
    additionalProperties: false,
    description: 'Databases that tokens are signed for, by name: a-z, 0-9 and -, 32 at most',
  },
)

const scalar = [Type.String(), Type.Number(), Type.Boolean()] as const
const scalars = Type.Array(Type.Union([...scalar]), { minItems: 1 })

/** A mapping of claims. A claim's name may be any text, even empty or with line breaks: `^` matches them all. */
const claims = <T extends TSchema>(value: T, description?: string) =>
  Type.Record(Type.String({ pattern: '^' }), value, { minProperties: 1, ...(description && { description }) })

// four levels are more than any issuer's JWT has, and every editor understands a schema without recursion
const fourthLevel = Type.Union([...scalar, scalars])
const thirdLevel = Type.Union([...scalar, scalars, claims(fourthLevel)])
const secondLevel = Type.Union([...scalar, scalars, claims(thirdLevel)])
const Claims = claims(
  Type.Union([...scalar, scalars, claims(secondLevel)]),
  'All must match, nested as in the JWT. A list matches any of its values; * is a run without /, ** any run',
)

const Principal = object(
  {
    issuer: text('A name from issuers, or apiKey'),
    subject: Type.Optional(
      textOrTexts('The `sub` of the JWT, or the name of the API key. A list matches any; * and ** work'),
    ),
    claims: Type.Optional(Claims),
    anyone: Type.Optional(
      Type.Boolean({ description: 'Confirms that everybody whom the issuer knows is meant' }),
    ),
  },
  'The principals: by a subject, at least one claim, or anyone',
)

const NotBefore = Type.Optional(
  text('The first moment that it is in force, with a zone: 2026-12-31T18:00:00Z. Default: it always was'),
)

const Grants = Type.Array(
  object({
    name: Type.String({ pattern: NAME_PATTERN, description: `Its name in audit records: ${NAME_FORM}` }),
    principal: Principal,
    database: text('A name from databases'),
    users: texts("Those of the database's users that the principals may have tokens for"),
    session: Type.Optional(
      Type.Enum(['shared', 'per-principal'], {
        description:
          'shared (default): one role session for each database user, for the whole fleet; per-principal: one for each principal',
      }),
    ),
    notBefore: NotBefore,
    notAfter: Type.Optional(
      text(
        'The last moment that it is in force; a token that was delivered before goes on for up to 15 minutes. Default: it has no end',
      ),
    ),
  }),
  {
    description:
      'Which principals may have tokens for which database users; if several grants allow it, the first one counts',
  },
)

const Operators = Type.Array(
  object({
    name: Type.String({ pattern: NAME_PATTERN, description: `Its name in logs: ${NAME_FORM}` }),
    principal: Principal,
    notBefore: NotBefore,
    notAfter: Type.Optional(text('The last moment that it is in force. Default: it has no end')),
  }),
  {
    description:
      'Who may open the console, by a JWT or an API key; required for a console beyond loopback. They get no tokens',
  },
)

const Store = object(
  {
    type: Type.Enum(['memory', 'dynamodb'], {
      description: 'memory: each instance has its own; dynamodb: shared by all instances',
    }),
    table: Type.Optional(text('The name of the DynamoDB table')),
    region: Type.Optional(text('Region of the table and the KMS key; default: AWS_REGION')),
    encryption: Type.Optional(
      object(
        {
          kmsKeyId: Type.Optional(
            text('The KMS key that makes the data keys: its id, its ARN, alias/NAME or the ARN of an alias'),
          ),
          keyFile: Type.Optional(
            textOrTexts(
              'File with a key, 32 bytes in base64; during a rotation a list: the first encrypts, all decrypt',
            ),
          ),
        },
        'How records are encrypted: kmsKeyId or keyFile',
      ),
    ),
  },
  'The store of tokens and reserved slots',
)

const Audit = Type.Array(
  object({
    type: Type.Enum(['stdout', 'file', 'dynamodb'], {
      description: 'stdout is not durable; file and dynamodb are',
    }),
    path: Type.Optional(text('The file, with type: file')),
    table: Type.Optional(text("The name of the DynamoDB table, with type: dynamodb; never the store's")),
    region: Type.Optional(text('Region of the table; default: AWS_REGION')),
    retentionDays: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 36_500,
        description: 'With type: dynamodb, days until a record may be deleted; default: never',
      }),
    ),
  }),
  {
    minItems: 1,
    description:
      'Sinks of the audit log; a token is delivered only after its record is in all of them. Default: stdout',
  },
)

/**
 * The configuration file: its type, its validation and, as `docs/jeton.schema.json` (`npm run schema`), what editors complete
 * and check it by. Sections are in the order of docs/configuration.md. Does not check that names refer to something, nor
 * anything that needs code: `checks/` does.
 */
export const ConfigSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The schema that editors check this file by' })),
    server: Type.Optional(Server),
    issuers: Type.Optional(Issuers),
    apiKeys: Type.Optional(ApiKeys),
    databases: Databases,
    grants: Grants,
    operators: Type.Optional(Operators),
    store: Type.Optional(Store),
    audit: Type.Optional(Audit),
  },
  { additionalProperties: false, title: 'jeton configuration' },
)

export type ConfigFile = Static<typeof ConfigSchema>
