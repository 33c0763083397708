import type { TSchema } from 'typebox'
import { PEM_CHAIN } from '../routes/ca.ts'
import {
  AliveReplySchema,
  DatabasesReplySchema,
  ReadyReplySchema,
  TokenReplySchema,
  TokenRequestSchema,
  WhoamiReplySchema,
} from '../schemas.ts'
import { DATABASES_EXAMPLE, PEM_EXAMPLE, TOKEN_EXAMPLE, WHOAMI_EXAMPLE } from './examples.ts'
import { headerRefs } from './headers.ts'
import { CREDENTIAL_PROBLEMS, commonProblems, TOKEN_PROBLEMS } from './problem-examples.ts'
import { type ProblemExample, ProblemSchema, problemResponses } from './problems.ts'

const JSON_TYPE = 'application/json'

/** The bodies that have a name of their own, which client generators take for their types. */
export const SCHEMAS = {
  TokenRequest: TokenRequestSchema,
  TokenReply: TokenReplySchema,
  DatabasesReply: DatabasesReplySchema,
  WhoamiReply: WhoamiReplySchema,
  AliveReply: AliveReplySchema,
  ReadyReply: ReadyReplySchema,
  Problem: ProblemSchema,
} as const satisfies Record<string, TSchema>

const schemaRef = (name: keyof typeof SCHEMAS) => ({ $ref: `#/components/schemas/${name}` })

/** The bodies of requests, by `operationId`. */
export const requestBodies: Readonly<Record<string, object>> = {
  createToken: {
    required: true,
    content: {
      [JSON_TYPE]: {
        schema: schemaRef('TokenRequest'),
        examples: {
          user: { summary: 'For one database user', value: { database: 'orders', user: 'migrator' } },
          onlyUser: { summary: 'If only one user is granted', value: { database: 'orders' } },
          refused: {
            summary: 'If the database refused the last token',
            value: { database: 'orders', user: 'migrator', refused: TOKEN_EXAMPLE.fingerprint },
          },
          minimum: {
            summary: 'For a caller that asks every 8 minutes',
            value: { database: 'orders', user: 'migrator', minimumSeconds: 600 },
          },
        },
      },
    },
  },
}

/** An operation's replies: those that succeed by their status, and the problems that only some operations have. */
interface Replies {
  readonly success: Readonly<Record<number, object>>
  readonly problems?: readonly ProblemExample[]
}

const REPLIES: Readonly<Record<string, Replies>> = {
  createToken: {
    success: {
      200: jsonReply('The token, and how to log in with it.', {
        schema: schemaRef('TokenReply'),
        example: TOKEN_EXAMPLE,
      }),
    },
    problems: [...CREDENTIAL_PROBLEMS, ...TOKEN_PROBLEMS],
  },
  listDatabases: {
    success: {
      200: jsonReply('What the sender of the credential may have tokens for; perhaps nothing.', {
        schema: schemaRef('DatabasesReply'),
        example: DATABASES_EXAMPLE,
      }),
    },
    problems: CREDENTIAL_PROBLEMS,
  },
  whoAmI: {
    success: {
      200: jsonReply('Whom the credential stands for, and what it may have tokens for; perhaps nothing.', {
        schema: schemaRef('WhoamiReply'),
        example: WHOAMI_EXAMPLE,
      }),
    },
    problems: CREDENTIAL_PROBLEMS,
  },
  getCaBundle: {
    success: {
      200: {
        description: 'The certificates, one after the other (RFC 8555, 9.1).',
        headers: caHeaders(),
        content: { [PEM_CHAIN]: { schema: { type: 'string' }, example: PEM_EXAMPLE } },
      },
      304: { description: 'They are those of `If-None-Match`. No body.', headers: caHeaders() },
    },
    problems: [
      {
        code: 'not_found',
        detail: 'no CA bundle has this name; global.pem has the certificates of all regions',
      },
    ],
  },
  getHealth: {
    success: {
      200: jsonReply('It is alive.', { schema: schemaRef('AliveReply'), example: { status: 'ok' } }),
    },
  },
  getReadiness: {
    success: {
      200: jsonReply('It answers requests, perhaps from memory alone.', {
        schema: schemaRef('ReadyReply'),
        examples: {
          ready: { summary: 'Everything answers', value: { status: 'ready', degraded: [] } },
          degraded: { summary: 'STS does not answer', value: { status: 'degraded', degraded: ['sts'] } },
        },
      }),
    },
  },
  getDescription: {
    success: {
      200: {
        description: 'The description.',
        headers: headerRefs({ 'X-Request-Id': 'RequestId' }),
        content: {
          [JSON_TYPE]: {
            schema: { type: 'object', additionalProperties: true },
            example: { openapi: '3.1.0', info: { title: 'jeton', version: '1.0.0' }, paths: {} },
          },
        },
      },
    },
  },
}

/** Returns the `responses` of an operation, every status with an example. Throws if REPLIES does not have it. */
export function responsesOf(operationId: string, method: string): object {
  const replies = REPLIES[operationId]
  if (!replies) throw new Error(`src/http/openapi/replies.ts lacks the replies of "${operationId}"`)
  const { success, problems = [] } = replies
  return { ...success, ...problemResponses([...commonProblems(method), ...problems]) }
}

function jsonReply(description: string, media: object) {
  const headers = headerRefs({ 'X-Request-Id': 'RequestId', 'Cache-Control': 'NoStore' })
  return { description, headers, content: { [JSON_TYPE]: media } }
}

function caHeaders() {
  return headerRefs({ 'X-Request-Id': 'RequestId', ETag: 'ETag', 'Cache-Control': 'PublicCache' })
}
