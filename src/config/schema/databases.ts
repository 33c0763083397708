import Type from 'typebox'
import { closed, port, text } from './common.ts'

const Limits = Type.Object(
  {
    newTokensPerSecond: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 20,
        description:
          'RDS takes 20; the default of 16 leaves room for what lies between hand-out and login. Databases of one resourceId share it',
      }),
    ),
  },
  { ...closed, description: "How fast tokens are handed out, under RDS's own throttle" },
)

const Database = Type.Object(
  {
    engine: Type.Enum(['postgres', 'mysql', 'mariadb'], { description: 'What the database is' }),
    host: text("RDS's own endpoint name, which tokens are signed for"),
    port: Type.Optional(port("Default: the engine's")),
    resourceId: text('db-… of an instance, cluster-… of an Aurora cluster, prx-… of a proxy'),
    roleArn: text('The role that may connect, which jeton assumes'),
    externalId: Type.Optional(text("For AssumeRole, where the role's trust policy asks for it")),
    users: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'The database users that tokens may be had for; no *, ? or $',
    }),
    dbname: Type.Optional(text('The database that callers connect to (PGDATABASE)')),
    connect: Type.Optional(text('Where callers dial, as host:port, if not the endpoint itself')),
    limits: Type.Optional(Limits),
  },
  closed,
)

export const Databases = Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,32}$' }), Database, {
  ...closed,
  description: 'What tokens are signed for, by name: a-z, 0-9 and -, 32 at most',
})
