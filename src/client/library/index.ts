export { createTokens } from './create-tokens.ts'
export { isLoginRefused } from './login-refused.ts'
export { TokenError } from './token-error.ts'
export type {
  CallOptions,
  MariadbOptions,
  Mysql2Options,
  PgOptions,
  Tokens,
  TokensOptions,
  VendedToken,
} from './types.ts'
