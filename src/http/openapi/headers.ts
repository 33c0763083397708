/** The headers of replies, by the names of their components. Those that are `required` are in every reply that names them. */
export const HEADERS = {
  RequestId: {
    description: 'The id of the request. Records have it as `requestId`.',
    required: true,
    schema: { type: 'string' },
    example: '0f8b2c4e-6d1a-4b7f-9c3e-5a2d8e7f6b10',
  },
  NoStore: {
    description: 'The reply must not be cached.',
    required: true,
    schema: { type: 'string', const: 'no-store' },
    example: 'no-store',
  },
  PublicCache: {
    description: 'The reply may be cached for an hour.',
    required: true,
    schema: { type: 'string' },
    example: 'public, max-age=3600',
  },
  ETag: {
    description: 'The SHA-256 of the body; send it as `If-None-Match` next time.',
    required: true,
    schema: { type: 'string' },
    example: '"686f44fdcba9ead41760423ff608e5c854047406869dfd98421219be28a359e1"',
  },
  RetryAfter: {
    description: 'Seconds after which to try again.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 3,
  },
  Challenge: {
    description:
      'Both schemes, with `error="invalid_token"` at the one that a credential was sent with (RFC 6750, 3).',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer error="invalid_token", realm="jeton", ApiKey realm="jeton"',
  },
  Allow: {
    description: 'The methods of this path.',
    required: true,
    schema: { type: 'string' },
    example: 'GET, HEAD',
  },
  AcceptEncoding: {
    description: 'Only if the body was compressed: `identity`, for jeton takes none that is (RFC 7694, 3).',
    schema: { type: 'string' },
    example: 'identity',
  },
} as const

type HeaderComponent = keyof typeof HEADERS

/** Returns the `headers` of a reply, by their names in HTTP. */
export function headerRefs(headers: Readonly<Record<string, HeaderComponent>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, component]) => [name, { $ref: `#/components/headers/${component}` }]),
  )
}
