import { type MintOptions, mintWithAws } from '../aws/mint-token.ts'

/** A token that a database must refuse, and the verifier's reason. */
export interface InvalidToken {
  readonly name: string
  readonly reason: string
  mint(options: MintOptions): Promise<string>
}

/** Tokens that are forged, altered or meant for something else: every database of the tests refuses each of them. */
export const INVALID_TOKENS: readonly InvalidToken[] = [
  { name: 'no token at all', reason: 'not a token', mint: async () => 'hunter2' },
  {
    name: 'a wrong signature',
    reason: 'wrong signature',
    mint: async options =>
      (await mintWithAws(options)).replace(
        /(X-Amz-Signature=)([0-9a-f])/,
        (_, name, digit) => name + (digit === '0' ? '1' : '0'),
      ),
  },
  {
    name: 'a token cut at 1000 characters',
    reason: 'X-Amz-SignedHeaders is missing',
    // A cut in the middle of an escape would be refused for another reason.
    mint: async options => (await mintWithAws(options)).slice(0, 1000).replace(/%[0-9A-F]?$/, ''),
  },
  {
    name: 'a token with another lifetime written into it',
    reason: 'wrong signature',
    mint: async options => (await mintWithAws(options)).replace('X-Amz-Expires=900', 'X-Amz-Expires=899'),
  },
  {
    name: 'a token of another endpoint',
    reason: 'signed for another endpoint',
    mint: options =>
      mintWithAws({ ...options, endpoint: { ...options.endpoint, host: `x${options.endpoint.host}` } }),
  },
  {
    name: 'a token of another endpoint with the host name replaced',
    reason: 'wrong signature',
    mint: async options => {
      const { host } = options.endpoint
      const token = await mintWithAws({ ...options, endpoint: { ...options.endpoint, host: `x${host}` } })
      return token.replace(`x${host}`, host)
    },
  },
  {
    name: 'a token of another port',
    reason: 'signed for another endpoint',
    mint: options => mintWithAws({ ...options, endpoint: { ...options.endpoint, port: 1 } }),
  },
  {
    name: 'a token of another region',
    reason: 'signed for another region',
    mint: options => mintWithAws({ ...options, endpoint: { ...options.endpoint, region: 'eu-west-1' } }),
  },
  {
    name: 'a token of another user',
    reason: 'signed for another user',
    mint: options => mintWithAws({ ...options, user: 'app_rw' }),
  },
  {
    name: 'a session whose policy allows another user',
    reason: 'session policy does not allow it',
    mint: options => mintWithAws({ ...options, allowed: 'app_rw' }),
  },
  {
    name: 'a session whose policy allows another database',
    reason: 'session policy does not allow it',
    mint: options => mintWithAws({ ...options, endpoint: { ...options.endpoint, resourceId: 'db-OTHER' } }),
  },
  {
    name: 'a session whose policy allows every user',
    reason: 'session policy does not allow it',
    mint: options => mintWithAws({ ...options, allowed: '*' }),
  },
  {
    name: 'a session without a policy',
    reason: 'session policy does not allow it',
    mint: options => mintWithAws({ ...options, allowed: null }),
  },
]
